"""A network as a list of one-key tables: ``{dense = 64}``, ``{activation = "relu"}``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    model_validator,
)

from surefoot.errors import nearest
from surefoot.recipe.initializers import BiasInitializer, Initializer, InitializerSpec
from surefoot.recipe.section import (
    LONGEST_NAME,
    MAX_COUNT,
    Count,
    Integer,
    Number,
    Positive,
    Section,
    Share,
    ShareBelowOne,
    Switch,
    is_whole,
    refusal,
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


_PADDING = '"same": zeros at the border, out = ⌈in / stride⌉; "valid": none'


def _pair(value: Any) -> tuple[int, int]:
    sizes = tuple(value) if isinstance(value, list | tuple) else (value, value)
    if len(sizes) != 2 or not all(is_whole(size) and 1 <= size <= MAX_COUNT for size in sizes):
        raise refusal("must be a whole number of at least 1, or two of them: [height, width]")
    return int(sizes[0]), int(sizes[1])


def _short_pair(pair: tuple[int, int]) -> int | list[int]:
    return pair[0] if pair[0] == pair[1] else list(pair)


Index = Annotated[Integer, Field(ge=0, le=1_000_000_000)]
Pair = Annotated[tuple[int, int], BeforeValidator(_pair), PlainSerializer(_short_pair)]


class DenseSpec(Section):
    """``{dense = 64}``: z = xW + b. The size may be "classes" or "outputs": the target's."""

    dense: Count | Literal["classes", "outputs"] = Field(
        description='how many units; "classes" or "outputs": as many as the target needs'
    )
    bias: Switch = Field(True, description="whether b is there")
    initializer: Initializer | None = Field(None, description="of W; default: the net's")
    bias_initializer: BiasInitializer | None = Field(None, description="of b; default: the net's")


class ConvSpec(Section):
    """``{conv = 32, size = 3, stride = 1, padding = "same"}``: shared filters over pictures."""

    conv: Count = Field(description="how many filters")
    size: Pair = Field((3, 3), description="height and width of a filter")
    stride: Pair = Field((1, 1), description="step between two positions of a filter")
    padding: Padding = Field("same", description=_PADDING)
    bias: Switch = Field(True, description="whether each filter has a bias")
    initializer: Initializer | None = Field(None, description="of the filters; default: the net's")
    bias_initializer: BiasInitializer | None = Field(
        None, description="of the biases; default: the net's"
    )


class ActivationSpec(Section):
    """``{activation = "relu"}``, with the numbers of those that have some."""

    activation: ActivationName = Field(description="which function")
    slope: Number | None = Field(None, description="leaky_relu; prelu: where learning starts")
    low: Number | None = Field(None, description="rrelu: smallest slope")
    high: Number | None = Field(None, description="rrelu: largest slope")
    alpha: Number | None = Field(None, description="elu: −alpha is its lower bound")

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("activation"), str):
            takes = ACTIVATION_NUMBERS.get(values["activation"], {})
            values = {key: value for key, value in values.items() if value is not None}
            for key in values:
                if key not in takes and key != "activation":
                    raise unknown_key(key, takes, f" for activation {values['activation']!r}")
            return {**takes, **values}
        return values

    @model_validator(mode="after")
    def _ordered(self) -> ActivationSpec:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise refusal(f"must be at most high, which is {self.high:g}", "low")
        return self


class BatchNormOptions(Section):
    """What ``batch_norm`` takes."""

    momentum: Share = Field(0.9, description="weight of the past in the running averages")
    epsilon: Positive = Field(1e-5, description="added to the variance")


class BatchNormSpec(Section):
    """``{batch_norm = {}}``: each channel to mean 0 and variance 1 over the batch, then γ, β."""

    batch_norm: BatchNormOptions = Field(description="a table, {} for the defaults")


class DropoutSpec(Section):
    """``{dropout = 0.5}``: in training each output is zero with this chance, else enlarged."""

    dropout: ShareBelowOne = Field(description="the chance of a zero")


class MaxPoolSpec(Section):
    """``{max_pool = 2}``: the largest value of each window."""

    max_pool: Pair = Field(description="height and width of a window")
    stride: Pair | None = Field(
        None, description="step between two windows; default: the window's size"
    )
    padding: Padding = Field("valid", description=_PADDING)


class AveragePoolSpec(Section):
    """``{average_pool = 2}``: the mean of each window."""

    average_pool: Pair = Field(description="height and width of a window")
    stride: Pair | None = Field(
        None, description="step between two windows; default: the window's size"
    )
    padding: Padding = Field("valid", description=_PADDING)


class Nothing(Section):
    """A table without keys."""


class GlobalAveragePoolSpec(Section):
    """``{global_average_pool = {}}``: each channel's mean over the picture."""

    global_average_pool: Nothing = Field(description="an empty table, {}")


class FlattenSpec(Section):
    """``{flatten = {}}``: a picture as one row of numbers."""

    flatten: Nothing = Field(description="an empty table, {}")


class EmbeddingSpec(Section):
    """``{embedding = 8, columns = [[12, 40]]}``: column 12, of 40 categories, as 8 numbers."""

    embedding: Count = Field(description="numbers that stand for one category")
    columns: tuple[tuple[Index, Count], ...] = Field(
        min_length=1, description="list of [column counted from 0, number of its categories]"
    )
    # Small against the standardized columns beside it, so that learning decides what matters.
    initializer: Initializer = Field(
        InitializerSpec(name="normal", stddev=0.1), description="of the vectors"
    )


class ResidualSpec(Section):
    """``{residual = [ … ]}``: x + branch(x); where shapes differ, x passes a projection."""

    residual: tuple[Layer, ...] = Field(min_length=1, description="the branch's layers")


class RepeatSpec(Section):
    """``{repeat = 20, layers = [ … ]}``: identical blocks, each with weights of its own."""

    repeat: Count = Field(description="how many blocks follow each other")
    layers: tuple[Layer, ...] = Field(min_length=1, description="of one block")


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
    "embedding": EmbeddingSpec,
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
    if isinstance(value, str) and value in ("flatten", "batch_norm", "global_average_pool"):
        return {value: {}}
    if not isinstance(value, dict):
        raise refusal(f"a layer is a table with a key for its kind{_hint([value])}")
    found = [kind for kind in LAYER_KINDS if kind in value]
    if not found:
        raise refusal(f"no key names the kind of layer{_hint(value)}")
    if len(found) > 1:
        raise refusal(f"is {' and '.join(found)} at once; make each a layer of its own")
    return value


def _hint(keys: Iterable[Any]) -> str:
    """Return the nearest kind of layer or activation, and all kinds."""
    near = ""
    for key in keys:
        if key in get_args(ActivationName):
            near = f'; did you mean {{activation = "{key}"}}?'
        near = near or nearest(str(key)[:LONGEST_NAME], LAYER_KINDS)
    return f"{near} (kinds: {', '.join(LAYER_KINDS)})"


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
    | Annotated[EmbeddingSpec, Tag("embedding")]
    | Annotated[ResidualSpec, Tag("residual")]
    | Annotated[RepeatSpec, Tag("repeat")],
    Discriminator(_tag),
    BeforeValidator(_one_kind),
]


# Far above any net, and few enough to be listed one by one.
MOST_LAYERS = 100_000


class Net(Section):
    """The layers, and the initializers of those that name none."""

    layers: tuple[Layer, ...] = Field(min_length=1, description="from the input to the output")
    # He's variance suits ReLU, the default activation.
    initializer: Initializer = Field(
        InitializerSpec(name="he_normal"), description="of the weights of layers that name none"
    )
    bias_initializer: BiasInitializer = Field(
        InitializerSpec(name="zeros"), description="of the biases of layers that name none"
    )

    @model_validator(mode="after")
    def _can_be_built(self) -> Net:
        if _count(self.layers) > MOST_LAYERS:
            raise refusal(
                f"must have {MOST_LAYERS:,} layers at most, repeated ones included", "layers"
            )
        return self


def _count(layers: tuple[Layer, ...]) -> int:
    """Return how many layers there are when repeated ones are written out."""
    total = 0
    for layer in layers:
        match layer:
            case RepeatSpec(repeat=times, layers=inner):
                total += times * _count(inner)
            case ResidualSpec(residual=inner):
                total += _count(inner)
            case _:
                total += 1
    return total


ResidualSpec.model_rebuild()
RepeatSpec.model_rebuild()
Net.model_rebuild()
