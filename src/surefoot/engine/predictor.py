"""What a trained network, or several of them, say of raw rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data import Encoding, Target
from surefoot.engine.disagreement import Disagreement, disagreement
from surefoot.recipe import Recipe


class Predictor:
    """Whatever gives outputs for rows, [rows, outputs], that mean what a target says.

    Attributes:
        recipe: how it was trained.
        target: what its outputs mean.
        encoding: how a table's columns become one prepared input; None without a table.
    """

    recipe: Recipe
    target: Target
    encoding: Encoding | None

    def outputs(self, x: Any) -> NDArray[Any]:
        """Return the predictions for raw rows, [rows, outputs].

        Probabilities where the net ends in a softmax or sigmoid, numbers in the target's units
        for regression.

        Raises:
            DataError: the rows do not have the shape that the net was trained on.
        """
        raise NotImplementedError

    def each(self, x: Any) -> NDArray[Any]:
        """Return each member's chances, or numbers, for raw rows, [members, rows, outputs]."""
        outputs = self.outputs(x)
        return (outputs if self.target.kind == "numbers" else self.chances(outputs))[None]

    def draws(self, x: Any, samples: int, seed: int = 0) -> NDArray[Any]:
        """Return chances, or numbers, of nets that dropout has thinned, [samples, rows, outputs].

        Raises:
            InputError: the net has no dropout.
        """
        raise NotImplementedError

    def disagreement(self, x: Any, dropout: int | None = None, seed: int = 0) -> Disagreement:
        """Return the mean prediction for raw rows, and how far the members lie apart.

        Args:
            x: raw rows.
            dropout: how many nets thinned by dropout are asked, in place of the whole one.
            seed: of what they drop.
        """
        each = self.each(x) if dropout is None else self.draws(x, dropout, seed)
        return disagreement(each, self.target)

    def predict(self, x: Any) -> NDArray[Any]:
        """Return labels, or numbers in the target's units, for raw rows."""
        outputs = self.outputs(x)
        if self.target.kind == "numbers":
            return outputs[:, 0] if outputs.shape[1] == 1 else outputs
        if self.target.kind == "labels":
            return (outputs > 0.5).astype(int)
        if outputs.shape[1] == 1:
            return self.target.decode((outputs[:, 0] > 0.5).astype(np.int32))
        return self.target.decode(np.argmax(outputs, axis=1).astype(np.int32))

    def probabilities(self, x: Any) -> NDArray[Any] | None:
        """Return the chance of each class, [rows, classes]; None where there are no classes.

        A single output is the chance of the second class. Outputs that are not a distribution
        are divided by their sum, as the loss does.
        """
        return None if self.target.kind == "numbers" else self.chances(self.outputs(x))

    def chances(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Return the chance of each class, [rows, classes], or label, by the net's outputs."""
        if self.target.kind == "labels":
            return outputs
        if outputs.shape[1] == 1:
            second = np.clip(outputs, 0, 1)
            return np.concatenate([1 - second, second], axis=1)
        positive = np.maximum(outputs, 0)
        total = positive.sum(axis=1, keepdims=True)
        even = np.full_like(positive, 1 / positive.shape[1])
        return np.divide(positive, total, out=even, where=total > 0)
