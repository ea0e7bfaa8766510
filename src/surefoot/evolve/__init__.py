"""Training without gradients: populations of weights that are varied and selected.

All of it is pure: genomes are flat vectors ``[weights]``, populations ``[individuals, weights]``,
lower losses are better. The engine makes an algorithm the step of a lane; `minimize` applies it to
any function.
"""

from surefoot.evolve.minimize import Minimum, minimize

__all__ = ["Minimum", "minimize"]
