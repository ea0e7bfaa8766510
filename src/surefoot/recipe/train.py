"""How to train: loss, batches, clipping, when to stop, what to record."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_serializer, model_validator

from surefoot.recipe.section import (
    Count,
    CountOrNone,
    NotNegative,
    Positive,
    Section,
    Switch,
    is_real,
    refusal,
)

LossName = Literal[
    "cross_entropy", "binary_cross_entropy", "mean_squared_error", "mean_absolute_error"
]
Monitor = Literal[
    "train_loss",
    "train_accuracy",
    "train_rmse",
    "validation_loss",
    "validation_accuracy",
    "validation_rmse",
]


_LOSSES_OF_LOGITS = ("cross_entropy", "binary_cross_entropy")


class EarlyStopping(Section):
    """Stop when the monitored value has not improved for a while; keep the best weights."""

    monitor: Monitor = Field("validation_loss", description="the value that is watched")
    patience: Count = Field(10, description="epochs without improvement")
    minimum_change: NotNegative = Field(
        0.0, description="what counts as improvement, in the monitored value's unit"
    )


def _class_weight(value: Any) -> Any:
    if value is None or value == "balanced":
        return value
    if not isinstance(value, dict):
        raise refusal('must be "balanced", or a table with a weight for each class')
    table = {str(name): weight for name, weight in value.items()}
    for name, weight in table.items():
        if not (is_real(weight) and 0 <= weight < math.inf):
            raise refusal("must be a finite number of at least 0", name)
    if not any(table.values()):
        raise refusal("must give at least one class a weight above 0")
    return tuple(sorted((name, float(weight)) for name, weight in table.items()))


class Train(Section):
    """The loop: draw a batch, forward pass, backward pass, update."""

    # Not written where it is the usual one.
    method: Literal["gradient", "genetic", "evolution_strategy"] = Field(
        "gradient",
        description="gradient descent by `[optimizer]`; or without gradients, by `[evolution]`: "
        "a step is a generation then",
    )
    loss: LossName = Field("cross_entropy", description="what is minimized")
    from_logits: Switch = Field(
        False,
        description="whether the last layer's raw outputs are logits: softmax (cross_entropy) or "
        "sigmoid (binary_cross_entropy) is then part of the loss, and of predictions",
    )
    # Small batches generalize well and 32 rows keep two cores busy.
    batch_size: Count | Literal["full"] = Field(32, description='rows per step, or "full"')
    epochs: Count = Field(20, description="passes over the training rows")
    clip_value: Positive | None = Field(None, description="largest entry of the gradient")
    clip_tensor_norm: Positive | None = Field(
        None, description="largest norm of each weight array's gradient"
    )
    clip_norm: Positive | None = Field(None, description="largest norm of the whole gradient")
    class_weight: Annotated[
        Literal["balanced"] | tuple[tuple[str, float], ...] | None,
        BeforeValidator(_class_weight),
    ] = Field(None, description='weight of each class in the loss, a table, or "balanced"')
    precision: Literal["float32", "float64", "bfloat16"] = Field(
        "float32",
        description="of all arithmetic; bfloat16: of the products of dense and convolutional "
        "layers alone, all else is float32",
    )
    early_stopping: EarlyStopping | None = Field(
        None, description="when to stop before the last epoch; default: never"
    )
    on_divergence: Literal["stop", "skip", "rollback"] = Field(
        "stop",
        description="what to do at a step whose loss or gradient is not finite: end with the "
        "weights before it; leave out its batch; or go back to the beginning of its epoch, with "
        "half the learning rate (up to 8 times; in studies and trials such a lane stops)",
    )

    @model_validator(mode="after")
    def _logits_have_a_meaning(self) -> Train:
        if self.from_logits and self.loss not in _LOSSES_OF_LOGITS:
            raise refusal(
                f"{self.loss} takes outputs as they are; set it to false, or the loss to "
                + " or ".join(_LOSSES_OF_LOGITS),
                "from_logits",
            )
        return self

    @property
    def dtype(self) -> str:
        """The type of weights, losses and statistics, and of inputs."""
        return "float32" if self.precision == "bfloat16" else self.precision

    @field_serializer("class_weight")
    def _as_table(self, weights: object) -> object:
        return dict(weights) if isinstance(weights, tuple) else weights


class Vitals(Section):
    """How often vital signs are recorded."""

    # A record at every 16th step costs less than the noise of a timing; the first steps are
    # where most faults show.
    every: CountOrNone = Field(16, description="steps between records; 0: none")
    first: CountOrNone = Field(16, description="first steps, all recorded")
