"""Initializers by name, with their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_serializer, model_validator

from surefoot.recipe.section import NotNegative, Number, Section, refusal, unknown_key

InitializerName = Literal[
    "zeros",
    "ones",
    "constant",
    "normal",
    "uniform",
    "truncated_normal",
    "lecun_normal",
    "lecun_uniform",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "orthogonal",
    "delta_orthogonal",
    "identity",
    "fixup",
]

_GAIN = {"gain": 1.0}
# 0.05 is Keras' default for the forms without a scale of their own.
INITIALIZER_NUMBERS: Mapping[str, Mapping[str, float]] = {
    "zeros": {},
    "ones": {},
    "constant": {"value": 0.0},
    "normal": {"mean": 0.0, "stddev": 0.05},
    "uniform": {"low": -0.05, "high": 0.05},
    "truncated_normal": {"mean": 0.0, "stddev": 0.05},
    "lecun_normal": _GAIN,
    "lecun_uniform": _GAIN,
    "glorot_normal": _GAIN,
    "glorot_uniform": _GAIN,
    "he_normal": _GAIN,
    "he_uniform": _GAIN,
    "orthogonal": _GAIN,
    "delta_orthogonal": _GAIN,
    "identity": _GAIN,
    "fixup": _GAIN,
}


class InitializerSpec(Section):
    """An initializer: its name and the numbers that this name takes.

    Written as a name, ``"he_normal"``, or as a table, ``{name = "normal", stddev = 0.01}``.
    Numbers that are not given have their defaults.
    """

    name: InitializerName = Field(description="which initializer")
    value: Number | None = Field(None, description="constant: the value of every weight")
    mean: Number | None = Field(None, description="normal, truncated_normal: the mean")
    stddev: NotNegative | None = Field(None, description="normal, truncated_normal: the spread")
    low: Number | None = Field(None, description="uniform: the lower bound")
    high: Number | None = Field(None, description="uniform: the upper bound")
    gain: Number | None = Field(None, description="scaled ones: a factor on every weight")

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("name"), str):
            takes = INITIALIZER_NUMBERS.get(values["name"])
            if takes is not None:
                values = {key: value for key, value in values.items() if value is not None}
                for key in values:
                    if key not in takes and key != "name":
                        raise unknown_key(key, takes, f" for initializer {values['name']!r}")
                return {**takes, **values}
        return values

    @model_validator(mode="after")
    def _ordered(self) -> InitializerSpec:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise refusal(f"must be at most high, which is {self.high:g}", "low")
        return self

    @model_serializer
    def _short(self) -> Any:
        takes = INITIALIZER_NUMBERS[self.name]
        given = {k: getattr(self, k) for k, default in takes.items() if getattr(self, k) != default}
        return {"name": self.name, **given} if given else self.name


def _from_name(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _fits_a_bias(initializer: InitializerSpec) -> InitializerSpec:
    if "gain" in INITIALIZER_NUMBERS[initializer.name]:
        names = [name for name, takes in INITIALIZER_NUMBERS.items() if "gain" not in takes]
        raise refusal(f"a bias has no inputs to scale by; must be one of {', '.join(names)}")
    return initializer


Initializer = Annotated[InitializerSpec, BeforeValidator(_from_name)]
BiasInitializer = Annotated[Initializer, AfterValidator(_fits_a_bias)]
