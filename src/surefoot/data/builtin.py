"""The built-in sets: five that scikit-learn embeds, and five that are generated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.data import synthetic
from surefoot.data.embedded import embedded
from surefoot.data.source import Raw, Task
from surefoot.errors import DataError
from surefoot.recipe.data import Data

MOST_ROWS = 10_000_000  # of a generated set: 240 MB, and enough to time anything with


@dataclass(frozen=True)
class Builtin:
    """What is told about a built-in set.

    `shape` is that of one row; `classes` the labels in order, empty for a regression. `generator`
    and `noise`, the default noise, belong to a generated set, whose `rows` are a default as well.
    """

    name: str
    description: str
    rows: int
    shape: tuple[int, ...]
    classes: tuple[str | int, ...] = ()
    noise: float | None = None
    generator: synthetic.Generator | None = None

    @property
    def task(self) -> Task:
        """Whether labels or numbers are to be learned."""
        return "classification" if self.classes else "regression"


_SETS = (
    Builtin("digits", "handwritten digits, grey values 0 to 16", 1797, (8, 8, 1), tuple(range(10))),
    Builtin(
        "iris",
        "three species of iris by the sizes of sepals and petals",
        150,
        (4,),
        ("setosa", "versicolor", "virginica"),
    ),
    Builtin(
        "wine",
        "three growers' wines by chemical analysis",
        178,
        (13,),
        ("class_0", "class_1", "class_2"),
    ),
    Builtin(
        "breast-cancer",
        "benign or malignant, by the shapes of cell nuclei",
        569,
        (30,),
        ("benign", "malignant"),
    ),
    Builtin("diabetes", "how far diabetes advanced in a year, from ten measurements", 442, (10,)),
    # The noise leaves a good net a few errors, so that fitting and generalizing differ.
    Builtin("moons", "two half circles that interlock", 1000, (2,), (0, 1), 0.2, synthetic.moons),
    Builtin("circles", "a circle inside another", 1000, (2,), (0, 1), 0.1, synthetic.circles),
    Builtin("blobs", "three Gaussian clouds", 1000, (2,), (0, 1, 2), 1.0, synthetic.blobs),
    Builtin("spirals", "two arms of a spiral", 1000, (2,), (0, 1), 0.02, synthetic.spirals),
    Builtin("xor", "four corners, labelled alike across", 1000, (2,), (0, 1), 0.3, synthetic.xor),
)
BUILTIN: Mapping[str, Builtin] = {entry.name: entry for entry in _SETS}


def describe() -> list[dict[str, Any]]:
    """List the built-in sets, each as plain data.

    A set has ``name``, ``description``, ``task``, ``rows``, ``shape`` (of one row), ``classes``
    (`None` for a regression), ``generated``, and the default ``noise`` of a generated one.

    >>> [entry["name"] for entry in describe()][:3]
    ['digits', 'iris', 'wine']
    """
    return [
        {
            "name": entry.name,
            "description": entry.description,
            "task": entry.task,
            "rows": entry.rows,
            "shape": list(entry.shape),
            "classes": list(entry.classes) or None,
            "generated": entry.generator is not None,
            "noise": entry.noise,
        }
        for entry in _SETS
    ]


class BuiltinSource:
    """Reads the sets of `BUILTIN`."""

    supported = f"a built-in set ({', '.join(BUILTIN)})"

    def accepts(self, source: str) -> bool:
        """Say whether `source` is the name of a built-in set."""
        return source in BUILTIN

    def read(self, data: Data) -> Raw:
        """Load an embedded set, or generate one from ``data.split_seed``.

        Raises:
            DataError: `rows` or `noise` for an embedded set, or rows too few for the classes.

        >>> from surefoot.recipe import Data
        >>> BuiltinSource().read(Data(source="moons")).x.shape
        (1000, 2)
        """
        entry = BUILTIN[str(data.source)]
        if entry.generator is None:
            for key in ("rows", "noise"):
                if getattr(data, key) is not None:
                    raise DataError(
                        f"data.{key} is for generated sets, and {entry.name!r} is not one: "
                        f"leave data.{key} out"
                    )
            x, y = embedded(entry.name)
            return Raw(entry.name, x.reshape(-1, *entry.shape), y, task=entry.task)
        rows = entry.rows if data.rows is None else data.rows
        noise = entry.noise if data.noise is None else data.noise
        if not 2 * len(entry.classes) <= rows <= MOST_ROWS:
            raise DataError(
                f"data.rows = {rows} for {entry.name!r}: "
                f"from {2 * len(entry.classes)} to {MOST_ROWS} are allowed"
            )
        # A stream of its own, so that the points owe nothing to the split of the same seed.
        rng = np.random.default_rng([data.split_seed, 1])
        x, y = entry.generator(rng, rows, float(noise or 0.0))
        return Raw(entry.name, x, y, task=entry.task)
