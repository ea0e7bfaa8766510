"""Teaches one layer: the compiled epochs of an auto-encoder or a Boltzmann machine."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from surefoot.engine.order import epoch_order
from surefoot.nn.layer import Array, Numbers, Params
from surefoot.optim import build
from surefoot.pretrain.autoencoder import AutoEncoder
from surefoot.pretrain.boltzmann import BoltzmannMachine
from surefoot.recipe.pretrain import Pretrain

Machine = AutoEncoder | BoltzmannMachine

# Rows on which a reconstruction is measured: enough for its third digit.
_MEASURED = 4096


def teach(
    machine: Machine,
    layer: Params,
    x: Array,
    pretrain: Pretrain,
    activation: Numbers,
    seeds: tuple[int, int],
) -> tuple[Params, list[float]]:
    """Teach a layer to give its inputs back.

    The order of rows and all draws follow from the seeds and the epoch: the same call gives the
    same bits.

    Args:
        machine: what it is taught as.
        layer: its first weights.
        x: its inputs, [rows, inputs].
        pretrain: the recipe's section.
        activation: the numbers of its activation.
        seeds: of the run, and of the layer.

    Returns:
        its weights, and the mean squared error of the reconstruction, of each row and input,
        before the first epoch and after each.
    """
    rows = len(x)
    batch = min(pretrain.batch_size, rows)
    rule = pretrain.optimizer or ("momentum" if pretrain.method == "rbm" else "adam")
    numbers = _numbers(machine, pretrain, rule)
    # Their types are those of the weights: every number is an argument of one program.
    numbers = jax.tree.map(lambda n: n if isinstance(n, int) else np.asarray(n, x.dtype), numbers)
    numbers["activation"] = {name: np.asarray(n, x.dtype) for name, n in activation.items()}
    key = jax.random.fold_in(jax.random.key(seeds[0]), seeds[1])
    params = machine.begin(jax.tree.map(jnp.asarray, layer), jax.random.fold_in(key, 0))
    optimizer = _rule(rule, numbers).init(params)
    memory = jnp.zeros((batch, params["kernel"].shape[1]), x.dtype)
    measured = x[:: -(-rows // _MEASURED)]
    epoch, error = _programs(machine, rule)
    errors = [float(error(params, measured, numbers))]
    order_seed = int(np.random.SeedSequence(seeds).generate_state(1)[0])
    for number in range(1, pretrain.epochs + 1):
        order = epoch_order(order_seed, number, rows, batch)
        carry = params, optimizer, memory
        own = jax.random.fold_in(key, number)
        params, optimizer, memory = epoch(carry, x, order, own, numbers)
        errors.append(float(error(params, measured, numbers)))
    return {name: np.asarray(params[name]) for name in layer}, errors


def _numbers(machine: Machine, pretrain: Pretrain, rule: str) -> dict[str, Any]:
    """Return the numbers of a layer's program, with what nobody chose."""
    rate, beta = pretrain.learning_rate, pretrain.momentum
    if rate is None:
        gaussian = isinstance(machine, BoltzmannMachine) and not machine.shares
        rate = 1e-3 if rule == "adam" else 0.005 if gaussian else 0.05
    if beta is None:
        beta = 0.9 if rule == "adam" else 0.5
    denoising = pretrain.method == "denoising_autoencoder"
    return {
        "learning_rate": rate,
        "momentum": beta,
        "corruption": pretrain.corruption if denoising else 0.0,
        "k": pretrain.k,
    }


def _rule(name: str, numbers: Numbers) -> Any:
    own = {"momentum": numbers["momentum"], "beta1": numbers["momentum"]}
    adam = {"beta2": 0.999, "epsilon": 1e-8}
    return build(name, {**own, **adam}, numbers["learning_rate"])


@lru_cache(maxsize=32)
def _programs(machine: Machine, rule: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the programs of an epoch and of the error; each is compiled once for its shapes."""

    def epoch(carry: Any, x: Array, order: Array, key: Array, numbers: Numbers) -> Any:
        def step(carry: Any, each: tuple[Array, Array]) -> tuple[Any, None]:
            params, optimizer, memory = carry
            index, rows = each
            own = jax.random.fold_in(key, index)
            gradient, memory = machine.gradient(params, x[rows], own, numbers, memory)
            updates, optimizer = _rule(rule, numbers).update(gradient, optimizer, params)
            return (jax.tree.map(jnp.add, params, updates), optimizer, memory), None

        return lax.scan(step, carry, (jnp.arange(order.shape[0]), order))[0]

    def error(params: Params, x: Array, numbers: Numbers) -> Array:
        return jnp.mean(jnp.square(machine.reconstruct(params, x, numbers) - x))

    return jax.jit(epoch), jax.jit(error)
