"""Cohorts and lanes: programs compiled once, runs trained together."""
