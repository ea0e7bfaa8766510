"""One dense layer as a restricted Boltzmann machine, learned by contrastive divergence."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import lax

from surefoot.nn.layer import Array, Numbers, Params
from surefoot.pretrain.autoencoder import affine


@dataclass(frozen=True)
class BoltzmannMachine:
    """Hidden units h ∈ {0, 1}, with P(h = 1 | v) = σ(vW + b), over visible units v.

    The energy of a state is −vWh − v·a − h·b for visible units from 0 to 1 (Bernoulli), whose
    P(v = 1 | h) = σ(Wh + a); and |v − a|²/2 − vWh − h·b for any numbers (Gaussian, of variance 1,
    which standardized inputs have), whose v | h is Normal(Wh + a, 1).

    Contrastive divergence follows, in place of the likelihood's gradient,
    ∂W ≈ vᵖ ᵀP(h | vᵖ) − vⁿᵀP(h | vⁿ), ∂a ≈ vᵖ − vⁿ, ∂b ≈ P(h | vᵖ) − P(h | vⁿ), means over the
    batch, where vᵖ are data and vⁿ what k steps of Gibbs sampling make of them; of a persistent
    chain, what they make of the hidden units that the last step left.

    Attributes:
        shares: whether visible units are Bernoulli.
        persistent: whether the chain goes on from step to step.

    Source: Hinton 2002, *Training products of experts by minimizing contrastive divergence*;
    Tieleman 2008 for the persistent chain; Hinton and others 2006 for machines in a stack.

    >>> machine = BoltzmannMachine(shares=True, persistent=False)
    >>> params = machine.begin({"kernel": jnp.zeros((2, 1)), "bias": jnp.zeros(1)}, None)
    >>> machine.reconstruct(params, jnp.array([[1.0, 0.0]]), {}).tolist()
    [[0.5, 0.5]]
    """

    shares: bool
    persistent: bool

    def begin(self, layer: Params, key: Array | None) -> Params:
        """Return W and b of the layer, with a = 0."""
        kernel = layer["kernel"]
        return {**layer, "visible": jnp.zeros(kernel.shape[0], kernel.dtype)}

    def hidden(self, params: Params, v: Array) -> Array:
        """Return P(h = 1 | v), [batch, hidden]."""
        return jax.nn.sigmoid(affine(params, v))

    def visible(self, params: Params, h: Array) -> Array:
        """Return the mean of v given h, [batch, visible]."""
        z = h @ params["kernel"].T + params["visible"]
        return jax.nn.sigmoid(z) if self.shares else z

    def reconstruct(self, params: Params, x: Array, numbers: Numbers) -> Array:
        """Return the mean of v given P(h | x)."""
        return self.visible(params, self.hidden(params, x))

    def gibbs(self, params: Params, h: Array, key: Array) -> tuple[Array, Array]:
        """Return v drawn given h, and h drawn given that; the key's halves draw one each."""
        for_v, for_h = jax.random.split(key)
        mean = self.visible(params, h)
        if self.shares:
            v = jax.random.bernoulli(for_v, mean).astype(h.dtype)
        else:
            v = mean + jax.random.normal(for_v, mean.shape, h.dtype)
        drawn = jax.random.bernoulli(for_h, self.hidden(params, v))
        return v, drawn.astype(h.dtype)

    def gradient(
        self, params: Params, x: Array, key: Array, numbers: Numbers, memory: Array
    ) -> tuple[Params, Array]:
        """Return the direction of contrastive divergence, to descend, and the chain's hidden units.

        The key of step i = 0, …, k of the chain is ``fold_in(key, i)``; that of 0 draws the hidden
        units from which it begins.

        Args:
            params: "kernel" W, "bias" b, "visible" a.
            x: data, [batch, visible].
            key: of all draws.
            numbers: "k", how many steps the chain takes.
            memory: hidden units, [batch, hidden], from which a persistent chain goes on.
        """
        positive = self.hidden(params, x)
        if self.persistent:
            start = memory
        else:
            drawn = jax.random.bernoulli(jax.random.fold_in(key, 0), positive)
            start = drawn.astype(x.dtype)

        def step(i: Array, chain: tuple[Array, Array]) -> tuple[Array, Array]:
            return self.gibbs(params, chain[1], jax.random.fold_in(key, i))

        v, h = lax.fori_loop(1, numbers["k"] + 1, step, (jnp.zeros_like(x), start))
        negative = self.hidden(params, v)
        rows = x.shape[0]
        gradient = {
            "kernel": (v.T @ negative - x.T @ positive) / rows,
            "visible": jnp.mean(v - x, axis=0),
        }
        if "bias" in params:
            gradient["bias"] = jnp.mean(negative - positive, axis=0)
        return gradient, h
