"""Pages that show what a run, a repair or a study came to."""
