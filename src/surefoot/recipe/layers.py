"""A network as a list of one-key tables: ``{dense = 64}``, ``{activation = "relu"}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from surefoot.errors import nearest
from surefoot.recipe.initializers import Initializer, InitializerSpec
from surefoot.recipe.section import (
    Count,
    Number,
    Positive,
    Section,
    Share,
    ShareBelowOne,
    unknown_key,
)

ActivationName = Literal[
    "step",
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "softplus",
    "leaky_relu",
    "prelu",
    "rrelu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "exponential",
    "softmax",
]
ACTIVATION_NUMBERS: Mapping[str, Mapping[str, float]] = {
    "leaky_relu": {"slope": 0.01},
    "prelu": {"slope": 0.25},
    "rrelu": {"low": 1 / 8, "high": 1 / 3},
    "elu": {"alpha": 1.0},
}
Padding = Literal["same", "valid"]


def _pair(value: Any) -> Any:
    return (value, value) if isinstance(value, int) else value


Pair = Annotated[tuple[Count, Count], BeforeValidator(_pair)]


class DenseSpec(Section):
    """``{dense = 64}``: z = xW + b. The size may be "classes" or "outputs": the target's."""

    dense: Count | Literal["classes", "outputs"] = Field(description="how many units")
    bias: bool = Field(True, description="whether b is there")
    initializer: Initializer | None = Field(None, description="of W; default: the net's")
    bias_initializer: Initializer | None = Field(None, description="of b; default: the net's")


class ConvSpec(Section):
    """``{conv = 32, size = 3, stride = 1, padding = "same"}``: shared filters over pictures."""

    conv: Count = Field(description="how many filters")
    size: Pair = Field((3, 3), description="height and width of a filter")
    stride: Pair = Field((1, 1), description="step between two positions of a filter")
    padding: Padding = Field("same", description='"same": zeros at the border; "valid": none')
    bias: bool = Field(True, description="whether each filter has a bias")
    initializer: Initializer | None = Field(None, description="of the filters")
    bias_initializer: Initializer | None = Field(None, description="of the biases")


class ActivationSpec(Section):
    """``{activation = "relu"}``, with the numbers of those that have some."""

    activation: ActivationName
    slope: Number | None = Field(None, description="leaky_relu; prelu: where learning starts")
    low: Number | None = Field(None, description="rrelu: smallest slope")
    high: Number | None = Field(None, description="rrelu: largest slope")
    alpha: Number | None = Field(None, description="elu: −alpha is its lower bound")

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("activation"), str):
            takes = ACTIVATION_NUMBERS.get(values["activation"], {})
            for key in values:
                if key in cls.model_fields and key not in takes and key != "activation":
                    raise unknown_key(key, takes, f" for activation {values['activation']!r}")
            return {**takes, **values}
        return values


class BatchNormOptions(Section):
    """What ``batch_norm`` takes."""

    momentum: Share = Field(0.9, description="weight of the past in the running averages")
    epsilon: Positive = Field(1e-5, description="added to the variance")


class BatchNormSpec(Section):
    """``{batch_norm = {}}``: each channel to mean 0 and variance 1 over the batch, then γ, β."""

    batch_norm: BatchNormOptions


class DropoutSpec(Section):
    """``{dropout = 0.5}``: in training each output is zero with this chance, else enlarged."""

    dropout: ShareBelowOne


class MaxPoolSpec(Section):
    """``{max_pool = 2}``: the largest value of each window."""

    max_pool: Pair
    stride: Pair | None = Field(None, description="default: the window's size")
    padding: Padding = "valid"


class AveragePoolSpec(Section):
    """``{average_pool = 2}``: the mean of each window."""

    average_pool: Pair
    stride: Pair | None = Field(None, description="default: the window's size")
    padding: Padding = "valid"


class Nothing(Section):
    """A table without keys."""


class GlobalAveragePoolSpec(Section):
    """``{global_average_pool = {}}``: each channel's mean over the picture."""

    global_average_pool: Nothing


class FlattenSpec(Section):
    """``{flatten = {}}``: a picture as one row of numbers."""

    flatten: Nothing


class ResidualSpec(Section):
    """``{residual = [ … ]}``: x + branch(x); where shapes differ, x passes a projection."""

    residual: tuple[Layer, ...] = Field(min_length=1)


class RepeatSpec(Section):
    """``{repeat = 20, layers = [ … ]}``: identical blocks, each with weights of its own."""

    repeat: Count
    layers: tuple[Layer, ...] = Field(min_length=1)


LAYER_KINDS: Mapping[str, type[Section]] = {
    "dense": DenseSpec,
    "conv": ConvSpec,
    "activation": ActivationSpec,
    "batch_norm": BatchNormSpec,
    "dropout": DropoutSpec,
    "max_pool": MaxPoolSpec,
    "average_pool": AveragePoolSpec,
    "global_average_pool": GlobalAveragePoolSpec,
    "flatten": FlattenSpec,
    "residual": ResidualSpec,
    "repeat": RepeatSpec,
}


def kind_of(layer: Section) -> str:
    """Return a layer's kind: the key that names it.

    >>> kind_of(DropoutSpec(dropout=0.5))
    'dropout'
    """
    return _KIND_BY_SPEC[type(layer)]


_KIND_BY_SPEC = {spec: kind for kind, spec in LAYER_KINDS.items()}


def _tag(value: Any) -> str | None:
    if isinstance(value, Section):
        return _KIND_BY_SPEC.get(type(value))
    found = [kind for kind in LAYER_KINDS if kind in value]
    return found[0] if found else None


def _one_kind(value: Any) -> Any:
    """Refuse what is no layer before the union is tried, in words that name the kinds."""
    if isinstance(value, Section) and type(value) in _KIND_BY_SPEC:
        return value
    kinds = ", ".join(LAYER_KINDS)
    if isinstance(value, str) and value in ("flatten", "batch_norm", "global_average_pool"):
        return {value: {}}
    if not isinstance(value, dict):
        raise PydanticCustomError(
            "layer_type",
            "a layer is a table with one of the keys {kinds}",
            {"kinds": kinds},
        )
    found = [kind for kind in LAYER_KINDS if kind in value]
    if len(found) != 1:
        near = nearest(next(iter(value), ""), LAYER_KINDS) if not found else ""
        raise PydanticCustomError(
            "layer_kind",
            "a layer has exactly one of the keys {kinds}, here {found}{near}",
            {"kinds": kinds, "found": " and ".join(found) or "none", "near": near},
        )
    return value


Layer = Annotated[
    Annotated[DenseSpec, Tag("dense")]
    | Annotated[ConvSpec, Tag("conv")]
    | Annotated[ActivationSpec, Tag("activation")]
    | Annotated[BatchNormSpec, Tag("batch_norm")]
    | Annotated[DropoutSpec, Tag("dropout")]
    | Annotated[MaxPoolSpec, Tag("max_pool")]
    | Annotated[AveragePoolSpec, Tag("average_pool")]
    | Annotated[GlobalAveragePoolSpec, Tag("global_average_pool")]
    | Annotated[FlattenSpec, Tag("flatten")]
    | Annotated[ResidualSpec, Tag("residual")]
    | Annotated[RepeatSpec, Tag("repeat")],
    Discriminator(_tag),
    BeforeValidator(_one_kind),
]


class Net(Section):
    """The layers, and the initializers of those that name none."""

    layers: tuple[Layer, ...] = Field(min_length=1, description="from the input to the output")
    # He's variance suits ReLU, the default activation.
    initializer: Initializer = Field(InitializerSpec(name="he_normal"), description="of weights")
    bias_initializer: Initializer = Field(InitializerSpec(name="zeros"), description="of biases")


ResidualSpec.model_rebuild()
RepeatSpec.model_rebuild()
Net.model_rebuild()
