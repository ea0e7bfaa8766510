"""Update rules by name, each with the numbers of its textbook formula."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, field_serializer

from surefoot.recipe.section import (
    NotNegative,
    Positive,
    Section,
    ShareBelowOne,
    Switch,
    by_name,
    is_whole,
    refusal,
    tag,
)

_RATE = "η, how far to step"


class _Rule(Section):
    learning_rate: Positive = Field(0.01, description=_RATE)
    weight_decay: NotNegative = Field(
        0.0, description="share of each weight (not of biases) that is added to its gradient"
    )


class Sgd(_Rule):
    """w ← w − η g: gradient descent, stochastic when the batch is a part of the data."""

    name: Literal["sgd"] = Field("sgd", description="which update rule")


class Momentum(_Rule):
    """v ← βv + g, w ← w − ηv; with ``average``: v ← βv + (1−β)g, corrected by 1/(1−βᵗ)."""

    name: Literal["momentum"] = Field("momentum", description="which update rule")
    momentum: ShareBelowOne = Field(0.9, description="β, the share of the past that is kept")
    average: Switch = Field(False, description="whether v is a weighted average of gradients")
    bias_correction: Switch = Field(False, description="whether v is divided by 1 − βᵗ")


class Nesterov(_Rule):
    """v ← βv + g, w ← w − η(g + βv): momentum that looks ahead."""

    name: Literal["nesterov"] = Field("nesterov", description="which update rule")
    momentum: ShareBelowOne = Field(0.9, description="β, the share of the past that is kept")


class AdaGrad(_Rule):
    """s ← s + g², w ← w − ηg/(√s + ε)."""

    name: Literal["adagrad"] = Field("adagrad", description="which update rule")
    initial_accumulator: NotNegative = Field(0.0, description="s at the start")
    epsilon: NotNegative = Field(1e-10, description="ε, against division by zero")


class RmsProp(_Rule):
    """s ← ρs + (1−ρ)g², w ← w − ηg/(√s + ε)."""

    name: Literal["rmsprop"] = Field("rmsprop", description="which update rule")
    learning_rate: Positive = Field(1e-3, description=_RATE)
    decay: ShareBelowOne = Field(0.9, description="ρ, the share of the past that is kept")
    epsilon: NotNegative = Field(1e-8, description="ε, against division by zero")
    momentum: ShareBelowOne = Field(0.0, description="β of a momentum on the scaled gradient")


class _Adam(_Rule):
    learning_rate: Positive = Field(1e-3, description=_RATE)
    beta1: ShareBelowOne = Field(0.9, description="β₁, of the mean of gradients")
    beta2: ShareBelowOne = Field(0.999, description="β₂, of the mean of their squares")
    epsilon: NotNegative = Field(1e-8, description="ε, against division by zero")


class Adam(_Adam):
    """m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← w − η m̂/(√v̂ + ε)."""

    name: Literal["adam"] = Field("adam", description="which update rule")


class AdamW(_Adam):
    """Adam with the decay of weights beside the gradient, not in it."""

    name: Literal["adamw"] = Field("adamw", description="which update rule")
    weight_decay: NotNegative = Field(0.01, description="share of each weight lost per step × η")


class RAdam(_Adam):
    """Adam whose adaptive rate waits until its variance is known."""

    name: Literal["radam"] = Field("radam", description="which update rule")


class Quickprop(_Rule):
    """Jumps to the minimum of the parabola through the last two slopes of each weight."""

    name: Literal["quickprop"] = Field("quickprop", description="which update rule")
    growth: Positive = Field(1.75, description="μ, a step's largest growth over the last one")


def _function_name(name: str) -> str:
    if not re.fullmatch(r"optax\.[a-z_0-9]+", name):
        raise refusal('must be "optax." and the name of an optimizer, such as "optax.lion"')
    return name


def _options(value: Any) -> Any:
    if not isinstance(value, dict):
        raise refusal("must be a table of arguments, such as {b1 = 0.9}")
    for name, option in value.items():
        whole = is_whole(option) and abs(option) < 2**63
        real = isinstance(option, float) and math.isfinite(option)
        if not (isinstance(name, str) and (whole or real or isinstance(option, bool | str))):
            raise refusal("must be a finite number, a text, true or false", str(name))
    return tuple(sorted(value.items()))


class OptaxRule(Section):
    """Any optimizer of Optax by name, ``name = "optax.lion"``, its arguments as ``options``."""

    name: Annotated[str, AfterValidator(_function_name)] = Field(
        description='"optax." and the name of a function of Optax that makes an optimizer'
    )
    learning_rate: Positive = Field(1e-3, description=_RATE)
    options: Annotated[
        tuple[tuple[str, bool | int | float | str], ...], BeforeValidator(_options)
    ] = Field(default_factory=dict, description="further arguments of that function, a table")

    @field_serializer("options")
    def _as_table(self, options: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
        return dict(options)


class CustomRule(Section):
    """An Optax transformation given as an object from Python; a file cannot hold it."""

    name: Literal["custom"] = Field("custom", description="which update rule")


RULES: dict[str, type[Section]] = {
    rule.model_fields["name"].default: rule
    for rule in (Sgd, Momentum, Nesterov, AdaGrad, RmsProp, Adam, AdamW, RAdam, Quickprop)
}


def _tag(value: Any) -> str | None:
    name = tag(value)
    return "optax" if isinstance(name, str) and name.startswith("optax.") else name


Optimizer = Annotated[
    Annotated[Sgd, Tag("sgd")]
    | Annotated[Momentum, Tag("momentum")]
    | Annotated[Nesterov, Tag("nesterov")]
    | Annotated[AdaGrad, Tag("adagrad")]
    | Annotated[RmsProp, Tag("rmsprop")]
    | Annotated[Adam, Tag("adam")]
    | Annotated[AdamW, Tag("adamw")]
    | Annotated[RAdam, Tag("radam")]
    | Annotated[Quickprop, Tag("quickprop")]
    | Annotated[OptaxRule, Tag("optax")]
    | Annotated[CustomRule, Tag("custom")],
    Discriminator(_tag),
    by_name("adam"),
]
