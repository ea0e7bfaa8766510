"""Greedy pre-training: each dense layer learns from what those below it make of the inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from surefoot.errors import RecipeError
from surefoot.nn.activation import ActivationLayer
from surefoot.nn.conv import Conv
from surefoot.nn.dense import Dense
from surefoot.nn.layer import Array, Context, Numbers
from surefoot.nn.network import Network
from surefoot.nn.repeat import Repeat
from surefoot.nn.residual import Residual
from surefoot.pretrain.autoencoder import AutoEncoder
from surefoot.pretrain.boltzmann import BoltzmannMachine
from surefoot.pretrain.layer import Machine, teach
from surefoot.recipe.pretrain import Pretrain

# Activations whose outputs are shares, from 0 to 1.
_SHARES = ("sigmoid", "softmax", "step")
Columns = Mapping[str, NDArray[Any]]


def taught_layers(network: Network) -> list[int]:
    """Return which layers are pre-trained: the dense ones but the last, counted from 0.

    Raises:
        RecipeError: there is none, or a layer for which greedy pre-training is not defined.
    """
    for layer in network.body.layers:
        if isinstance(layer, Conv | Residual | Repeat):
            raise layer.refuse(
                "greedy layer-wise pre-training is defined for dense layers in a row; leave "
                "pretrain out, or begin with another run's layers by transfer.from"
            )
    dense = [i for i, layer in enumerate(network.body.layers) if isinstance(layer, Dense)]
    if len(dense) < 2:
        raise RecipeError(
            "pretrain: the net has no dense layer below its output layer, and that one is not "
            "pre-trained; add one, or leave pretrain out"
        )
    return dense[:-1]


def pretrain(
    network: Network,
    weights: tuple[Any, Any],
    x: Array,
    section: Pretrain,
    numbers: Numbers,
    seed: int,
    tell: Callable[[str], None] = lambda line: None,
) -> tuple[tuple[Any, Any], Columns]:
    """Teach the dense layers of a net one after the other, from the input up, without labels.

    A layer's inputs are what the net makes of the rows with the layers below it as they are then;
    dropout drops nothing. Above a Boltzmann machine they are its P(h = 1 | v), whatever activation
    the net has there.

    Args:
        network: the net.
        weights: its first parameters and states.
        x: prepared inputs, [rows, …].
        section: of the recipe.
        numbers: the lane numbers of the recipe's net.
        seed: all randomness comes from it.
        tell: called with a line about each layer.

    Returns:
        the weights, and the rows of a table: `layer`, `epoch` (0 before the first), and
        `reconstruction_error`, the mean of (x̂ − x)² over rows and inputs.

    Raises:
        RecipeError: a layer cannot be pre-trained, or inputs are no shares and were said to be.
    """
    params, state = list(weights[0]), weights[1]
    chosen = taught_layers(network)
    table: dict[str, list[Any]] = {"layer": [], "epoch": [], "reconstruction_error": []}
    machine: Machine | None = None
    for i, layer in enumerate(network.body.layers[: chosen[-1] + 1]):
        if i in chosen:
            activation, own = _activation(network, numbers, params, i)
            shares = _are_shares(x, section, layer, machine)
            machine = _machine(section, activation, shares)
            params[i], errors = teach(machine, params[i], x, section, own, (seed, i))
            table["layer"] += [layer.number] * len(errors)
            table["epoch"] += range(len(errors))
            table["reconstruction_error"] += errors
            tell(_line(layer, x, errors))
        if isinstance(machine, BoltzmannMachine) and i in chosen:
            x = machine.hidden(params[i], x)
        elif not (isinstance(machine, BoltzmannMachine) and isinstance(layer, ActivationLayer)):
            context = Context(False, None, numbers["layers"][i])
            x, _, _ = layer.apply(params[i], state[i], x, context)
    return (params, state), {name: np.asarray(column) for name, column in table.items()}


def _line(layer: Any, x: Array, errors: list[float]) -> str:
    return (
        f"pre-training layer {layer.number} ({x.shape[1]} to {layer.units}): reconstruction error "
        f"{errors[0]:.4g} to {errors[-1]:.4g}"
    )


def _machine(section: Pretrain, activation: str | None, shares: bool) -> Machine:
    if section.method == "rbm":
        return BoltzmannMachine(shares, section.persistent)
    return AutoEncoder(activation, shares, section.tied)


def _activation(
    network: Network, numbers: Numbers, params: Any, dense: int
) -> tuple[str | None, Numbers]:
    """Return the activation of a dense layer's outputs, with its numbers; None for none."""
    for i in range(dense + 1, len(network.body.layers)):
        layer = network.body.layers[i]
        if isinstance(layer, ActivationLayer):
            return layer.name, {**numbers["layers"][i], **params[i]}
        if isinstance(layer, Dense):
            break
    return None, {}


def _are_shares(x: Array, section: Pretrain, layer: Any, below: Machine | None) -> bool:
    """Return whether a layer's inputs lie from 0 to 1, or are to be taken for such."""
    if below is not None:
        return isinstance(below, BoltzmannMachine) or below.activation in _SHARES
    low, high = float(jnp.min(x)), float(jnp.max(x))
    inside = low >= 0 and high <= 1
    if section.inputs == "bernoulli" and not inside:
        raise RecipeError(
            f"pretrain.inputs = 'bernoulli': the inputs of layer {layer.number} lie from {low:.4g} "
            f"to {high:.4g}, and have to lie from 0 to 1; set it to 'gaussian', or scale the data "
            "and set data.standardize = false"
        )
    return inside if section.inputs == "auto" else section.inputs == "bernoulli"
