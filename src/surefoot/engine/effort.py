"""How hard the compiler tries: a training that is soon over should not wait long for it."""

from __future__ import annotations

from enum import IntEnum

from surefoot.backend import on_cpu


class Effort(IntEnum):
    """How hard the compiler tries with a program. Speed and the last bits depend on it.

    Of the programs of `benchmarks/faults` on two cores, beside `FULL`, about:

    | | time of the compiler | of training |
    | --- | --- | --- |
    | `LEAST`: kernels are translated, and no more | 0.2 | 4 |
    | `LITTLE`: they are optimized, but not joined where that takes long | 0.5 | 1.2 |

    >>> [Effort.for_seconds(seconds).name for seconds in (0.1, 1.0, 60.0)]
    ['LEAST', 'LITTLE', 'FULL']
    """

    LEAST = 0
    LITTLE = 1
    FULL = 2

    @property
    def compiler_options(self) -> dict[str, bool | int]:
        """What XLA is told on the CPU; of other devices' compilers nothing is known here."""
        if self is Effort.FULL or not on_cpu():
            return {}
        return {"xla_cpu_use_fusion_emitters": False, "xla_backend_optimization_level": int(self)}

    @property
    def slowdown(self) -> float:
        """About how many times longer training takes than with full effort."""
        return _SLOWDOWNS[self] if on_cpu() else 1.0

    @classmethod
    def for_seconds(cls, seconds: float) -> Effort:
        """Return the one with which compiling and running take the least time together.

        Args:
            seconds: how long the program will run in all, compiled with all effort.
        """
        return next((effort for most, effort in _WORTH if seconds < most), cls.FULL)


_SLOWDOWNS = {Effort.LEAST: 4.0, Effort.LITTLE: 1.2, Effort.FULL: 1.0}
# The least saves a second of a small program's compilation and costs three times its running; the
# next saves another, and costs a fifth.
_WORTH = ((0.3, Effort.LEAST), (5.0, Effort.LITTLE))
