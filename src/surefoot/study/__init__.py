"""Studies: many runs as few programs, and what may be concluded from them."""
