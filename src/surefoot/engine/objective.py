"""What is minimized: the mean loss of a batch, with what is counted on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp

from surefoot.nn.layer import Array, Context
from surefoot.nn.losses import LOSSES, Output, accuracy_count, activate, squared_error_sum
from surefoot.nn.network import Network
from surefoot.recipe import Train


class Scaling(NamedTuple):
    """Mean and standard deviation of each number of the target; 0 and 1 where it is left alone.

    The net learns (y − mean)/scale, and predictions are brought back. They are arguments of the
    compiled step: whether targets are standardized may differ between lanes.
    """

    mean: Array
    scale: Array


@dataclass(frozen=True)
class Objective:
    """Loss(y, F(x; θ)), averaged over the rows of a batch.

    Attributes:
        network: F.
        loss: the loss's name.
        outputs_are: what the network's outputs are to the loss.
        measure: what is counted beside the loss: "accuracy", "label_accuracy" or "rmse".
    """

    network: Network
    loss: str
    outputs_are: Output
    measure: str

    def __call__(
        self,
        params: Any,
        state: Any,
        batch: tuple[Array, Array, Array | None],
        context: Context,
        scaling: Scaling,
    ) -> tuple[Array, tuple[Any, Array, Array | None]]:
        """Return the mean loss, and the new state, the mean measure and the vital signs.

        Args:
            params: θ.
            state: running averages.
            batch: inputs, targets, and the weight of each row or None.
            context: as layers take it.
            scaling: of the targets.

        Returns:
            Σ wᵢ Lossᵢ / Σ wᵢ, and beside it the state, the batch's accuracy (or mean squared
            error), and the vital signs.
        """
        x, y, weights = batch
        outputs, state, vitals = self.network.apply(params, state, x, context)
        loss, measured = self.sums(outputs, y, weights, scaling)
        total = x.shape[0] if weights is None else jnp.maximum(jnp.sum(weights), 1e-12)
        return loss / total, (state, measured / total, vitals)

    def sums(
        self, outputs: Array, y: Array, weights: Array | None, scaling: Scaling
    ) -> tuple[Array, Array]:
        """Return the weighted sums over rows of the loss and of the measure."""
        if self.measure == "rmse":
            return self._number_sums(outputs, y, weights, scaling)
        rows = LOSSES[self.loss].per_example(outputs, y, outputs_are=self.outputs_are)
        loss = jnp.sum(rows if weights is None else rows * weights)
        multi_label = self.measure == "label_accuracy"
        return loss, accuracy_count(
            outputs, y, outputs_are=self.outputs_are, multi_label=multi_label, weights=weights
        )

    def _number_sums(
        self, outputs: Array, y: Array, weights: Array | None, scaling: Scaling
    ) -> tuple[Array, Array]:
        """Take the loss on the standardized scale and the squared error in the target's units."""
        scaled = (y - scaling.mean) / scaling.scale
        rows = LOSSES[self.loss].per_example(outputs, scaled, outputs_are=self.outputs_are)
        predicted = self.predict(outputs, scaling)
        squared = squared_error_sum(predicted, y, outputs_are=Output.RAW, weights=weights)
        return jnp.sum(rows if weights is None else rows * weights), squared

    def predict(self, outputs: Array, scaling: Scaling) -> Array:
        """Turn the network's outputs into probabilities, or into numbers in the target's units."""
        activated = activate(outputs, self.outputs_are)
        if self.measure == "rmse":
            return activated * scaling.scale + scaling.mean
        return activated


def outputs_for(train: Train, network: Network) -> Output:
    """Return what the network's outputs are to the loss: as the recipe says."""
    if network.head is not None:
        return {"softmax": Output.SOFTMAX_LOGITS, "sigmoid": Output.SIGMOID_LOGITS}[
            network.head.name
        ]
    if train.from_logits and train.loss == "cross_entropy":
        return Output.SOFTMAX_LOGITS
    if train.from_logits and train.loss == "binary_cross_entropy":
        return Output.SIGMOID_LOGITS
    return Output.RAW
