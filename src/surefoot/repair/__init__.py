"""Repair: try what may help, prove what helps, and keep the smallest edit that works."""
