"""Learning-rate schedules by name. Shares are of all steps of the run."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from surefoot.recipe.section import (
    LANE_NUMBER,
    Count,
    CountOrNone,
    NotNegative,
    Positive,
    Section,
    Share,
    by_name,
    tag,
)


class _Schedule(Section):
    warmup: Share = Field(
        0.0, description="share of all steps in which the rate grows linearly to its full value"
    )


class Constant(_Schedule):
    """η(t) = η."""

    name: Literal["constant"] = Field("constant", description="which schedule")


class Step(_Schedule):
    """η(t) = η · factor^⌊p / every⌋, with p the share of the steps after warm-up that is done."""

    name: Literal["step"] = Field("step", description="which schedule")
    factor: Positive = Field(0.1, description="by which the rate is multiplied at each drop")
    every: Annotated[Positive, Field(le=1)] = Field(
        1 / 3, description="share of the steps between two drops"
    )


class Exponential(_Schedule):
    """η(t) = η · factor^p."""

    name: Literal["exponential"] = Field("exponential", description="which schedule")
    factor: Positive = Field(0.01, description="the last rate over the first")


class InverseTime(_Schedule):
    """η(t) = η / (1 + decay · p), the 1/t decay."""

    name: Literal["inverse_time"] = Field("inverse_time", description="which schedule")
    decay: NotNegative = Field(10.0, description="how strongly; 10 ends at η/11")


class Cosine(_Schedule):
    """η(t) = η · (final + (1 − final)(1 + cos πp)/2)."""

    name: Literal["cosine"] = Field("cosine", description="which schedule")
    final: Share = Field(0.0, description="the last rate over the first")


class CyclicCosine(_Schedule):
    """η(t) = η · (final + (1 − final)(1 + cos πq)/2), q the share of its cycle that is done.

    After each cycle the rate starts again at its full value: Loshchilov and Hutter 2017.
    """

    name: Literal["cyclic_cosine"] = Field("cyclic_cosine", description="which schedule")
    cycles: Annotated[Count, LANE_NUMBER] = Field(
        5, description="how many, each as many steps after the warm-up"
    )
    final: Share = Field(0.0, description="the last rate of a cycle over its first")


class Transformer(_Schedule):
    """η(t) = η · min(t/w, √(w/t)) with w the steps of warm-up: Vaswani and others 2017, §5.3."""

    name: Literal["transformer"] = Field("transformer", description="which schedule")
    warmup: Share = Field(
        0.1, description="share of all steps in which the rate grows; at least one step does"
    )


class Plateau(_Schedule):
    """The rate is multiplied by ``factor`` when the monitored value has stopped improving."""

    name: Literal["plateau"] = Field("plateau", description="which schedule")
    factor: Annotated[Positive, Field(lt=1)] = Field(0.5, description="by which the rate falls")
    patience: Count = Field(5, description="epochs without improvement")
    minimum_change: NotNegative = Field(1e-4, description="what counts as improvement, relative")
    cooldown: CountOrNone = Field(0, description="epochs of rest after a fall")
    monitor: Literal["train_loss", "validation_loss"] | None = Field(
        None, description="default: validation_loss where there are validation rows"
    )


SCHEDULES: dict[str, type[Section]] = {
    schedule.model_fields["name"].default: schedule
    for schedule in (
        Constant,
        Step,
        Exponential,
        InverseTime,
        Cosine,
        CyclicCosine,
        Transformer,
        Plateau,
    )
}


Schedule = Annotated[
    Annotated[Constant, Tag("constant")]
    | Annotated[Step, Tag("step")]
    | Annotated[Exponential, Tag("exponential")]
    | Annotated[InverseTime, Tag("inverse_time")]
    | Annotated[Cosine, Tag("cosine")]
    | Annotated[CyclicCosine, Tag("cyclic_cosine")]
    | Annotated[Transformer, Tag("transformer")]
    | Annotated[Plateau, Tag("plateau")],
    Discriminator(tag),
    by_name("constant"),
]
