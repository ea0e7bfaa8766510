"""How hard the compiler tries: a training that is soon over should not wait long for it."""

from __future__ import annotations

from enum import IntEnum

from surefoot.backend import on_cpu


class Effort(IntEnum):
    """How hard the compiler tries with a program. Speed and the last bits depend on it.

    Of small nets on two cores, beside `FULL`, as `python -m benchmarks.compiler_effort` measures
    it, tracing included:

    | | time to compile | of training |
    | --- | --- | --- |
    | `LEAST`: kernels are translated, and no more | 0.3 | 4.2 |
    | `LITTLE`: they are optimized, but not joined where that takes long | 0.6 | 1.2 |
    | `MUCH`: they are joined, and optimized once | 0.8 | 1.05 |

    >>> [Effort.for_seconds(seconds).name for seconds in (0.1, 1.0, 60.0)]
    ['LEAST', 'LITTLE', 'FULL']
    """

    LEAST = 0
    LITTLE = 1
    MUCH = 2
    FULL = 3

    @property
    def compiler_options(self) -> dict[str, bool | int]:
        """What XLA is told on the CPU; of other devices' compilers nothing is known here."""
        if self is Effort.FULL or not on_cpu():
            return {}
        if self is Effort.MUCH:
            return {"xla_backend_optimization_level": 1}
        return {"xla_cpu_use_fusion_emitters": False, "xla_backend_optimization_level": int(self)}

    @property
    def for_evaluation(self) -> Effort:
        """That of the program that evaluates: a small part of the time of small nets."""
        return Effort.LITTLE if self is Effort.MUCH else self

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


_SLOWDOWNS = {Effort.LEAST: 4.0, Effort.LITTLE: 1.2, Effort.MUCH: 1.0, Effort.FULL: 1.0}
# The least saves a second of a small program's compilation and costs three times its running; the
# next saves another, and costs a fifth.
_WORTH = ((0.3, Effort.LEAST), (5.0, Effort.LITTLE))
