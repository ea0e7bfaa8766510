"""The handbook: how to train a neural network, a page for each question."""
