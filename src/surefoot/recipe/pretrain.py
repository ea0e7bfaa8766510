"""Greedy layer-wise pre-training: what the dense layers begin with, learned without labels."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from surefoot.recipe.section import Count, Positive, Section, Share, ShareBelowOne, Switch

PretrainMethod = Literal["autoencoder", "denoising_autoencoder", "rbm"]


class Pretrain(Section):
    """Each dense layer but the last learns, one after the other, to give its inputs back.

    On the inputs of all training rows, without their labels. Training then begins with these
    weights. A table, or the method's name.
    """

    method: PretrainMethod = Field(
        "denoising_autoencoder",
        description="an auto-encoder, one that is given corrupted inputs, or a restricted "
        "Boltzmann machine; several of those make a deep belief network",
    )
    epochs: Count = Field(20, description="passes over the rows for each layer")
    batch_size: Count = Field(32, description="rows per step")
    # What is usual for either rule. A Gaussian machine's steps have to be smaller by ten or more:
    # nothing bounds its inputs (Hinton 2012, section 13.2).
    learning_rate: Positive | None = Field(
        None,
        description="η; default: 0.001 with adam, with momentum 0.05, or 0.005 for an rbm on "
        "inputs that are no shares",
    )
    optimizer: Literal["adam", "momentum"] | None = Field(
        None, description="update rule; default: momentum for an rbm, else adam"
    )
    momentum: ShareBelowOne | None = Field(
        None, description="β of momentum, β₁ of adam; default: 0.5 and 0.9"
    )
    corruption: Share = Field(
        0.3, description="denoising_autoencoder: share of the inputs that are set to 0"
    )
    tied: Switch = Field(
        True, description="auto-encoders: whether the way back has the same weights, transposed"
    )
    k: Count = Field(1, description="rbm: steps of contrastive divergence")
    persistent: Switch = Field(
        False, description="rbm: whether its chain goes on from batch to batch"
    )
    inputs: Literal["auto", "bernoulli", "gaussian"] = Field(
        "auto",
        description="of the first layer: shares from 0 to 1 (bernoulli), or any numbers "
        "(gaussian); auto: by what they are",
    )


def method_alone(value: Any) -> Any:
    """Read a method's name as the table that it stands for."""
    return {"method": value} if isinstance(value, str) else value


PretrainSection = Annotated[Pretrain, BeforeValidator(method_alone)]
