"""What a net begins with, where it is taught before training: without labels, or by another run."""
