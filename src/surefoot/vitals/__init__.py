"""The tables of vital signs and metrics: their columns, how they are written and read."""
