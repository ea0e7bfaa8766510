"""Findings: what is wrong with a run, since when, in which layers, how we know, what to do."""
