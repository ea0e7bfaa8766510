"""Layers, activations, initializers and losses: pairs of pure functions."""
