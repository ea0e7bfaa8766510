"""How to train: loss, batches, clipping, when to stop, what to record."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_serializer

from surefoot.recipe.section import Count, Integer, NotNegative, Positive, Section

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


class EarlyStopping(Section):
    """Stop when the monitored value has not improved for a while; keep the best weights."""

    monitor: Monitor = "validation_loss"
    patience: Annotated[Integer, Field(ge=1)] = Field(10, description="epochs without improvement")
    minimum_change: NotNegative = Field(0.0, description="what counts as improvement")


def _sorted_weights(value: object) -> object:
    if isinstance(value, dict):
        return tuple(sorted((str(k), v) for k, v in value.items()))
    return value


class Train(Section):
    """The loop: draw a batch, forward pass, backward pass, update."""

    loss: LossName = "cross_entropy"
    from_logits: bool = Field(
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
    class_weight: (
        Literal["balanced"]
        | Annotated[
            tuple[tuple[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]], ...],
            BeforeValidator(_sorted_weights),
        ]
        | None
    ) = Field(None, description='weight of each class in the loss, a table, or "balanced"')
    precision: Literal["float32", "float64"] = Field("float32", description="of all arithmetic")
    early_stopping: EarlyStopping | None = None

    @field_serializer("class_weight")
    def _as_table(self, weights: object) -> object:
        return dict(weights) if isinstance(weights, tuple) else weights


class Vitals(Section):
    """How often vital signs are recorded."""

    # A record at every 16th step costs less than the noise of a timing; the first steps are
    # where most faults show.
    every: Annotated[Integer, Field(ge=0)] = Field(16, description="steps between records; 0: none")
    first: Annotated[Integer, Field(ge=0)] = Field(16, description="first steps, all recorded")
