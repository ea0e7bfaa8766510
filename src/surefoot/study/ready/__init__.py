"""Ready studies: each a question about training, answered by one command; a file each."""
