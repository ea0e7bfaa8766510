"""`surefoot.train_input`: the input is trained, and the weights stay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
from jax import lax
from numpy.typing import NDArray

from surefoot.errors import InputError
from surefoot.gradients.scores import Scores, input_of, picture_shape
from surefoot.optim import build
from surefoot.recipe import RULES
from surefoot.run import Run

Values = NDArray[np.float64]


@dataclass(frozen=True)
class TrainedInput:
    """An input that raises a score.

    Attributes:
        target: whose score.
        x: as the net takes it.
        raw: in the data's own units.
        raw_start: where it began, in the data's own units.
        scores: S(x) before each step and after the last, [steps + 1].
        chances: of each class at the end; None for numbers.
        names: of the classes or numbers.
        picture: height, width and channels where inputs are pictures.
    """

    target: str
    x: Values
    raw: Values
    raw_start: Values
    scores: Values
    chances: Values | None
    names: tuple[str, ...]
    picture: tuple[int, int, int] | None

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON."""
        chances = None if self.chances is None else self.chances.tolist()
        return {
            "target": self.target,
            "classes": list(self.names),
            "chances": chances,
            "score_before": float(self.scores[0]),
            "score": float(self.scores[-1]),
            "scores": self.scores.tolist(),
            "input": self.raw.tolist(),
            "prepared": self.x.tolist(),
            "start": self.raw_start.tolist(),
        }


def train_input(
    run: Run | str | Path,
    target: Any,
    *,
    data: str | None = None,
    example: int | None = None,
    steps: int = 200,
    learning_rate: float = 0.05,
    penalty: float = 0.5,
) -> TrainedInput:
    """Train an input until it raises a class's score; the weights stay as they are, to the bit.

    Adam goes uphill on S(x) − λ‖x‖²/2: what the net takes for the class, kept near the mean of
    the data, 0 where they are standardized, by the penalty.

    Args:
        run: a run, or its folder.
        target: the class, or one of several numbers.
        data: rows that the start is taken from, with ``example``.
        example: which row to start from, from 0, of ``data`` or of the training rows; from an
            input of zeros, the mean, without it.
        steps: how many.
        learning_rate: η of Adam, in standard deviations of an input a step.
        penalty: λ.

    Raises:
        InputError: there is no such class or row, or a number is not what it can be.
        RunError: the run has no model.

    Source: Simonyan, Vedaldi and Zisserman (2014), *Deep inside convolutional networks*, section 2;
    Erhan and others (2009), *Visualizing higher-layer features of a deep network*.

    >>> import surefoot as sf, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = sf.train("iris", net="mlp:4", epochs=2, out=f"{folder}/run")
    ...     found = train_input(run, "virginica", steps=20)
    >>> bool(found.scores[-1] > found.scores[0]), found.x.shape
    (True, (4,))
    """
    if steps < 1:
        raise InputError(f"steps = {steps}: must be at least 1")
    if not 0 < learning_rate < float("inf") or not 0 <= penalty < float("inf"):
        raise InputError(
            f"learning_rate = {learning_rate}, penalty = {penalty}: must be above 0, and 0 or above"
        )
    if data is not None and example is None:
        example = 0
    run = run if isinstance(run, Run) else Run(run)
    scores = Scores.of(run.model)
    place = scores.find("" if target is None else target)
    start = np.zeros(scores.model.feature_shape)
    if example is not None:
        start = input_of(run, scores, data, example).x
    # Adam's own numbers, as a recipe has them.
    rule = build("adam", RULES["adam"]().model_dump(), learning_rate)

    def climb(x: Any) -> Any:
        def cost(x: Any) -> Any:
            score = scores(x)[place]
            return penalty * (x**2).sum() / 2 - score, score

        def step(carry: Any, _: None) -> Any:
            x, memory = carry
            gradient, score = jax.grad(cost, has_aux=True)(x)
            update, memory = rule.update(gradient, memory, x)
            return (optax.apply_updates(x, update), memory), score

        (x, _), path = lax.scan(step, (x, rule.init(x)), None, steps)
        return x, path, scores(x)[place]

    with jax.enable_x64(True):
        x, path, last = jax.tree.map(np.asarray, jax.jit(climb)(jax.numpy.asarray(start)))
    return TrainedInput(
        scores.names[place],
        x,
        scores.raw(x),
        scores.raw(start),
        np.append(path, last),
        scores.chances(x),
        scores.names,
        picture_shape(run, scores.model),
    )
