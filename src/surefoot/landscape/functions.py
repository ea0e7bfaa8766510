"""Functions of two variables with a known minimum, on which update rules can be watched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from types import MappingProxyType

from jax import Array

Pair = tuple[float, float]


@dataclass(frozen=True)
class Function:
    """A function of two variables.

    Attributes:
        formula: as people write it.
        value: from x and y, arrays of one shape, to f.
        start: where all rules begin.
        minima: where it is lowest.
        lowest: f there.
        across: the ends of x that are drawn.
        up: those of y.
        about: what makes it hard.
    """

    formula: str
    value: Callable[[Array, Array], Array]
    start: Pair
    minima: tuple[Pair, ...]
    lowest: float
    across: Pair
    up: Pair
    about: str


def ravine(x: Array, y: Array) -> Array:
    """f = (x² + 50 y²)/2: curvature 1 along the valley, 50 across it.

    >>> ravine(2.0, 1.0)
    27.0
    """
    return (x**2 + 50 * y**2) / 2


def beale(x: Array, y: Array) -> Array:
    """f = (1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)².

    Source: Beale (1958), *On an iterative method for finding a local minimum*.

    >>> beale(3.0, 0.5)
    0.0
    """
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def saddle(x: Array, y: Array) -> Array:
    """f = x² − y² + y⁴/4: a saddle at the origin, minima of −1 at y = ±√2.

    >>> saddle(0.0, 0.0), round(saddle(0.0, 2**0.5), 9)
    (0.0, -1.0)
    """
    return x**2 - y**2 + y**4 / 4


def rosenbrock(x: Array, y: Array) -> Array:
    """f = (1 − x)² + 100 (y − x²)².

    Source: Rosenbrock (1960), *An automatic method for finding the greatest or least value of a
    function*.

    >>> rosenbrock(1.0, 1.0), rosenbrock(0.0, 1.0)
    (0.0, 101.0)
    """
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def himmelblau(x: Array, y: Array) -> Array:
    """f = (x² + y − 11)² + (x + y² − 7)²: four minima of 0.

    Source: Himmelblau (1972), *Applied Nonlinear Programming*.

    >>> himmelblau(3.0, 2.0)
    0.0
    """
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "ravine": Function(
            "(x² + 50 y²)/2",
            ravine,
            (-9.0, 1.5),
            ((0.0, 0.0),),
            0.0,
            (-10.0, 4.0),
            (-2.5, 2.5),
            "50 times as steep across as along: what is small enough for the walls is slow on the "
            "ground",
        ),
        "beale": Function(
            "(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
            beale,
            (1.0, 1.5),
            ((3.0, 0.5),),
            0.0,
            (-0.5, 4.5),
            (-1.5, 2.5),
            "steep where it begins, nearly flat where the minimum lies",
        ),
        "saddle": Function(
            "x² − y² + y⁴/4",
            saddle,
            (1.5, 0.001),
            ((0.0, sqrt(2)), (0.0, -sqrt(2))),
            -1.0,
            (-2.0, 2.0),
            (-2.2, 2.2),
            "begins almost on the ridge that leads to the saddle, where the gradient vanishes",
        ),
        "rosenbrock": Function(
            "(1 − x)² + 100 (y − x²)²",
            rosenbrock,
            (-1.2, 1.0),
            ((1.0, 1.0),),
            0.0,
            (-2.0, 2.0),
            (-1.0, 3.0),
            "a curved valley with a ground nearly flat",
        ),
        "himmelblau": Function(
            "(x² + y − 11)² + (x + y² − 7)²",
            himmelblau,
            (-0.27, -0.92),
            (
                (3.0, 2.0),
                (-2.805118086952745, 3.131312518250573),
                (-3.779310253377747, -3.283185991286170),
                (3.584428340330492, -1.848126526964404),
            ),
            0.0,
            (-6.0, 6.0),
            (-6.0, 6.0),
            "begins near the hill between four minima: the rule decides into which it falls",
        ),
    }
)
