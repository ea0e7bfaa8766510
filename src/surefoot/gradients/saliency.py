"""`surefoot.saliency`: which inputs a prediction hangs on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from surefoot.errors import InputError, nearest
from surefoot.gradients.scores import Input, Scores, input_of
from surefoot.run import Run

METHODS = ("gradient", "smooth", "integrated")
# The noise of smooth gradients, as a share of the span of the input's values: 10 to 20 % in the
# paper.
_NOISE = 0.15
# As many points on the way, or noisy copies, unless told otherwise.
_SAMPLES = 64
_MOST_SAMPLES = 10_000
_AT_ONCE = 16
_IN_A_PIECE = 4

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Saliency:
    """How much each number of an input matters to one score.

    Attributes:
        method: "gradient", "smooth" or "integrated".
        target: whose score.
        score: S(x).
        baseline_score: S(x₀) of an input of zeros, the mean of standardized inputs.
        values: of each number of the input, of its shape.
        input: the input.
        raw: it in the data's own units.
        note: what to know.
    """

    method: str
    target: str
    score: float
    baseline_score: float
    values: Values
    input: Input
    raw: Values
    note: str

    @property
    def completeness(self) -> float:
        """Return Σ values − (S(x) − S(x₀)), which is 0 of integrated gradients but for the sum."""
        return float(self.values.sum() - (self.score - self.baseline_score))

    def ranked(self) -> list[tuple[str, float]]:
        """Return the names of the inputs with their values, the largest in absolute value first."""
        flat = self.values.ravel()
        order = np.argsort(-np.abs(flat), kind="stable")
        return [(self.input.names[i], float(flat[i])) for i in order]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON."""
        return {
            "method": self.method,
            "target": self.target,
            "input": self.input.said,
            "score": self.score,
            "baseline_score": self.baseline_score,
            "completeness": self.completeness if self.method == "integrated" else None,
            "shape": list(self.values.shape),
            "names": list(self.input.names),
            "values": self.values.ravel().tolist(),
            "ranked": [{"name": name, "value": value} for name, value in self.ranked()],
            "note": self.note,
        }


def saliency(
    run: Run | str | Path,
    data: str | None = None,
    *,
    example: int = 0,
    method: str = "gradient",
    target: Any = None,
    samples: int = _SAMPLES,
    seed: int = 0,
) -> Saliency:
    """Return how much each number of one input matters to a score of a trained net.

    | method | value of xᵢ | source |
    | --- | --- | --- |
    | gradient | ∂S/∂xᵢ | Simonyan, Vedaldi and Zisserman 2014 |
    | smooth | the mean of ∂S/∂xᵢ at x + ε, ε ~ N(0, σ²), σ = 0.15 (max x − min x) | Smilkov and others 2017, *SmoothGrad* |
    | integrated | (xᵢ − x₀ᵢ) ∫₀¹ ∂S/∂xᵢ at x₀ + t(x − x₀) dt; all together are S(x) − S(x₀) | Sundararajan, Taly and Yan 2017 |

    S is a class's number in front of the softmax or sigmoid, or a predicted number in the target's
    units; x is as the net takes it, standardized where the data are, and x₀ is 0.

    Args:
        run: a run, or its folder.
        data: rows that the input is taken from; the run's training rows without it.
        example: which row, from 0.
        method: "gradient", "smooth" or "integrated".
        target: a class, or one of several numbers; the predicted class without it.
        samples: noisy copies, or points of the integral.
        seed: of the noise.

    Raises:
        InputError: there is no such row, class or method.
        RunError: the run has no model, or its data are gone.

    >>> import surefoot as sf, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = sf.train("iris", net="mlp:4", epochs=2, out=f"{folder}/run")
    ...     found = saliency(run, "iris", example=3, method="integrated")
    >>> found.values.shape, abs(found.completeness) < 0.01
    ((4,), True)
    """  # noqa: E501
    if method not in METHODS:
        raise InputError(
            f"method = {method!r}: must be gradient, smooth or integrated{nearest(method, METHODS)}"
        )
    if not 1 <= samples <= _MOST_SAMPLES:
        raise InputError(f"samples = {samples}: must be from 1 to {_MOST_SAMPLES:,}")
    run = run if isinstance(run, Run) else Run(run)
    scores = Scores.of(run.model)
    given = input_of(run, scores, data, example)
    place = scores.find(target, given.x)
    with jax.enable_x64(True):

        def score(x: Any) -> Any:
            return scores(x)[place]

        values = attribute(score, given.x, method, samples, seed)
        here, there = (float(jax.jit(score)(x)) for x in (given.x, np.zeros_like(given.x)))
    codes = () if scores.model.encoding is None else scores.model.encoding.code_columns
    names = ", ".join(given.names[code.index] for code in codes)
    note = f"{names}: a category's number, through which no gradient passes" if names else ""
    raw = scores.raw(given.x)
    return Saliency(method, scores.names[place], here, there, values, given, raw, note)


def attribute(
    score: Callable[[Any], Any], x: Values, method: str, samples: int = _SAMPLES, seed: int = 0
) -> Values:
    """Return each number's value for a score; `saliency` tells the formulas.

    >>> with jax.enable_x64(True):
    ...     found = attribute(lambda x: x[0] * x[1], np.array([2.0, 3.0]), "integrated")
    >>> found.round(9).tolist()
    [3.0, 3.0]
    """
    gradient = jax.grad(score)
    if method == "gradient":
        return np.asarray(jax.jit(gradient)(x))
    if method == "smooth":
        generator = np.random.default_rng(seed)
        spread = _NOISE * (x.max() - x.min())
        places = x + spread * generator.standard_normal((samples, *x.shape))
        shares = np.full(samples, 1 / samples)
    else:
        times, shares = _on_the_way(samples)
        places = times.reshape(-1, *[1] * x.ndim) * x
    own = jax.jit(lambda all_: lax.map(gradient, all_, batch_size=_AT_ONCE))(jnp.asarray(places))
    mean = np.tensordot(shares, np.asarray(own), 1)
    return mean * x if method == "integrated" else mean


def _on_the_way(samples: int) -> tuple[Values, Values]:
    """Return places from 0 to 1 and their shares of an integral: at least so many.

    Four points of Gauss and Legendre in each of equal pieces, so that a kink spoils one piece.
    """
    nodes, weights = np.polynomial.legendre.leggauss(_IN_A_PIECE)
    pieces = -(-samples // _IN_A_PIECE)
    times = (np.arange(pieces)[:, None] + (nodes + 1) / 2) / pieces
    return times.ravel(), np.tile(weights / 2, pieces) / pieces
