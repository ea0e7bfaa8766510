"""Gradients laid open: checked by three modes, shown layer by layer, taken by the input."""
