"""A function that is compiled ahead of its first call, once for each set of shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax

from surefoot.engine.effort import Effort
from surefoot.garbage import uncollected

# What XLA says of an option that it does not have.
_UNKNOWN = "No such compile option"


class Prepared:
    """A function traced for some shapes, ready to be compiled.

    Attributes:
        out_shape: the shapes and types of what it will return.
    """

    def __init__(self, traced: Any, compiled: dict[Any, Any], key: Any) -> None:
        self.out_shape = traced.out_info
        # Lowered here and not when compiling: in a thread of its own, compilation would not see
        # the precision that is set for this one.
        self._lowered = traced.lower()
        self._compiled = compiled
        self._key = key

    def ready(self, effort: Effort = Effort.FULL) -> bool:
        """Return whether it was compiled before."""
        return (self._key, effort) in self._compiled

    def compiled(self, effort: Effort = Effort.FULL) -> Callable[..., Any]:
        """Compile, or return what was compiled for the same shapes with the same effort before.

        Compilation leaves the interpreter free, so that threads can compile side by side.
        """
        key = self._key, effort
        if key not in self._compiled:
            self._compiled[key] = self._compile(effort)
        return self._compiled[key]

    def _compile(self, effort: Effort) -> Callable[..., Any]:
        try:
            return self._lowered.compile(effort.compiler_options)
        except jax.errors.JaxRuntimeError as error:
            if _UNKNOWN not in str(error):
                raise
            return self._lowered.compile()  # of another version, which has its own options


def compile_all(functions: Iterable[tuple[Prepared, Effort]]) -> list[Callable[..., Any]]:
    """Compile several functions side by side: each from when it is given, while the next is traced.

    Args:
        functions: each with how hard the compiler tries.
    """
    given = []
    with ThreadPoolExecutor() as pool:
        for function, effort in functions:
            given.append((function, effort))
            if not function.ready(effort):
                pool.submit(function.compiled, effort)
    return [function.compiled(effort) for function, effort in given]


class Program:
    """A function to be compiled, and what has been compiled of it.

    >>> double = Program(lambda x, *, twice: x * 2 if twice else x, static=("twice",))
    >>> compiled = double.prepare(jax.numpy.ones(2), twice=True).compiled()
    >>> compiled(jax.numpy.ones(2)).tolist(), double.count
    ([2.0, 2.0], 1)
    """

    def __init__(
        self,
        function: Callable[..., Any],
        static: tuple[str, ...] = (),
        donate: tuple[int, ...] = (),
    ) -> None:
        self._jitted = jax.jit(function, static_argnames=static, donate_argnums=donate)
        self._prepared: dict[Any, Prepared] = {}
        self._compiled: dict[Any, Any] = {}

    @property
    def count(self) -> int:
        """How many times the function was compiled."""
        return len(self._compiled)

    def prepare(self, *args: Any, **static: Any) -> Prepared:
        """Trace the function for arguments like these; static ones go by keyword."""
        leaves, tree = jax.tree.flatten(args)
        key = (tree, tuple(_shape(leaf) for leaf in leaves), tuple(sorted(static.items())))
        if key not in self._prepared:
            with uncollected():
                traced = self._jitted.trace(*args, **static)
                self._prepared[key] = Prepared(traced, self._compiled, key)
        return self._prepared[key]


def _shape(leaf: Any) -> tuple[Any, ...]:
    return tuple(leaf.shape), str(leaf.dtype)
