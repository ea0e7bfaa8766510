"""Several trained nets as one: seeds, runs, snapshots of one run; and what each kind is worth."""
