"""Update rules by name, each with the numbers of its textbook formula."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_serializer

from surefoot.recipe.section import NotNegative, Positive, Section, ShareBelowOne


class _Rule(Section):
    learning_rate: Positive = Field(description="how far to step")
    weight_decay: NotNegative = Field(
        0.0, description="share of each weight (not of biases) that is added to its gradient"
    )


class Sgd(_Rule):
    """w ← w − η g: gradient descent, stochastic when the batch is a part of the data."""

    name: Literal["sgd"] = "sgd"
    learning_rate: Positive = 0.01


class Momentum(_Rule):
    """v ← βv + g, w ← w − ηv; with ``average``: v ← βv + (1−β)g, corrected by 1/(1−βᵗ)."""

    name: Literal["momentum"] = "momentum"
    learning_rate: Positive = 0.01
    momentum: ShareBelowOne = Field(0.9, description="β, the share of the past that is kept")
    average: bool = Field(False, description="whether v is a weighted average of gradients")
    bias_correction: bool = Field(False, description="whether v is divided by 1 − βᵗ")


class Nesterov(_Rule):
    """v ← βv + g, w ← w − η(g + βv): momentum that looks ahead."""

    name: Literal["nesterov"] = "nesterov"
    learning_rate: Positive = 0.01
    momentum: ShareBelowOne = Field(0.9, description="β, the share of the past that is kept")


class AdaGrad(_Rule):
    """s ← s + g², w ← w − ηg/(√s + ε)."""

    name: Literal["adagrad"] = "adagrad"
    learning_rate: Positive = 0.01
    initial_accumulator: NotNegative = Field(0.0, description="s at the start")
    epsilon: NotNegative = Field(1e-10, description="ε, against division by zero")


class RmsProp(_Rule):
    """s ← ρs + (1−ρ)g², w ← w − ηg/(√s + ε)."""

    name: Literal["rmsprop"] = "rmsprop"
    learning_rate: Positive = 1e-3
    decay: ShareBelowOne = Field(0.9, description="ρ, the share of the past that is kept")
    epsilon: NotNegative = Field(1e-8, description="ε, against division by zero")
    momentum: ShareBelowOne = Field(0.0, description="β of a momentum on the scaled gradient")


class _Adam(_Rule):
    learning_rate: Positive = 1e-3
    beta1: ShareBelowOne = Field(0.9, description="β₁, of the mean of gradients")
    beta2: ShareBelowOne = Field(0.999, description="β₂, of the mean of their squares")
    epsilon: NotNegative = Field(1e-8, description="ε, against division by zero")


class Adam(_Adam):
    """m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← w − η m̂/(√v̂ + ε)."""

    name: Literal["adam"] = "adam"


class AdamW(_Adam):
    """Adam with the decay of weights beside the gradient, not in it."""

    name: Literal["adamw"] = "adamw"
    weight_decay: NotNegative = Field(0.01, description="share of each weight lost per step × η")


class RAdam(_Adam):
    """Adam whose adaptive rate waits until its variance is known."""

    name: Literal["radam"] = "radam"


class Quickprop(_Rule):
    """Jumps to the minimum of the parabola through the last two slopes of each weight."""

    name: Literal["quickprop"] = "quickprop"
    learning_rate: Positive = 0.01
    growth: Positive = Field(1.75, description="μ, a step's largest growth over the last one")


def _sorted_items(value: Any) -> Any:
    return tuple(sorted(value.items())) if isinstance(value, dict) else value


class OptaxRule(Section):
    """Any optimizer of Optax by name, ``name = "optax.lion"``, its arguments as ``options``."""

    name: Annotated[str, Field(pattern=r"^optax\.[a-z_0-9]+$")]
    learning_rate: Positive = 1e-3
    options: Annotated[
        tuple[tuple[str, bool | int | float | str], ...], BeforeValidator(_sorted_items)
    ] = Field((), description="further arguments of that function, a table")

    @field_serializer("options")
    def _as_table(self, options: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
        return dict(options)


class CustomRule(Section):
    """An Optax transformation given as an object from Python; a file cannot hold it."""

    name: Literal["custom"] = "custom"


RULES: dict[str, type[Section]] = {
    rule.model_fields["name"].default: rule
    for rule in (Sgd, Momentum, Nesterov, AdaGrad, RmsProp, Adam, AdamW, RAdam, Quickprop)
}


def _tag(value: Any) -> str | None:
    name = value.get("name", "adam") if isinstance(value, dict) else getattr(value, "name", None)
    return "optax" if isinstance(name, str) and name.startswith("optax.") else name


def _with_name(value: Any) -> Any:
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, dict) and "name" not in value:
        return {"name": "adam", **value}
    return value


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
    BeforeValidator(_with_name),
]
