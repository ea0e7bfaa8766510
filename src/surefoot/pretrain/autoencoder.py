"""One dense layer as an auto-encoder: it learns to give its inputs back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from surefoot.nn.activations import ACTIVATIONS
from surefoot.nn.layer import Array, Numbers, Params


@dataclass(frozen=True)
class AutoEncoder:
    """h = f(x̃W + b) and x̂ = g(hV + c), with V = Wᵀ where it is tied.

    x̃ is x, or of a denoising one x with a share of its entries set to 0, drawn anew in each step.
    Minimized is the mean over a batch of, for inputs from 0 to 1, with g the sigmoid,
    −Σ x ln x̂ + (1 − x) ln(1 − x̂); for other inputs, with g the identity, Σ (x̂ − x)²/2.

    Attributes:
        activation: the name of f; None for the identity.
        shares: whether inputs lie from 0 to 1.
        tied: whether V = Wᵀ.

    Source: Bengio and others 2007, *Greedy layer-wise training of deep networks*; Vincent and
    others 2008, *Extracting and composing robust features with denoising autoencoders*.

    >>> layer = AutoEncoder(None, shares=False, tied=True)
    >>> params = layer.begin({"kernel": jnp.eye(2), "bias": jnp.zeros(2)}, jax.random.key(0))
    >>> layer.reconstruct(params, jnp.array([[1.0, 2.0]]), {}).tolist()
    [[1.0, 2.0]]
    """

    activation: str | None
    shares: bool
    tied: bool

    def begin(self, layer: Params, key: Array) -> Params:
        """Return W and b of the layer, with c = 0, and V drawn as large as Wᵀ where it is free."""
        kernel = layer["kernel"]
        params = {**layer, "visible": jnp.zeros(kernel.shape[0], kernel.dtype)}
        if not self.tied:
            noise = jax.random.normal(key, kernel.T.shape, kernel.dtype)
            params["decoder"] = noise * jnp.std(kernel)
        return params

    def loss(self, params: Params, x: Array, key: Array, numbers: Numbers) -> Array:
        """Return the mean loss of a batch.

        Args:
            params: "kernel" W, "bias" b, "visible" c, and "decoder" V where it is free.
            x: [batch, inputs].
            key: draws which entries are corrupted.
            numbers: "corruption", the share of them; "activation", the numbers of f, with what
                it would learn.
        """
        kept = jax.random.bernoulli(key, 1 - numbers["corruption"], x.shape)
        z = self._decode(params, jnp.where(kept, x, 0), numbers)
        if self.shares:
            each = jnp.maximum(z, 0) - z * x + jnp.log1p(jnp.exp(-jnp.abs(z)))
        else:
            each = jnp.square(z - x) / 2
        return jnp.mean(jnp.sum(each, axis=1))

    def reconstruct(self, params: Params, x: Array, numbers: Numbers) -> Array:
        """Return x̂ of inputs that are not corrupted."""
        z = self._decode(params, x, numbers)
        return jax.nn.sigmoid(z) if self.shares else z

    def gradient(
        self, params: Params, x: Array, key: Array, numbers: Numbers, memory: Array
    ) -> tuple[Params, Array]:
        """Return the gradient of the loss; there is nothing to remember."""
        return jax.grad(self.loss)(params, x, key, numbers), memory

    def _decode(self, params: Params, x: Array, numbers: Numbers) -> Array:
        """Return the argument of g."""
        hidden = affine(params, x)
        if self.activation is not None:
            own = numbers["activation"]
            hidden = ACTIVATIONS[self.activation].function(hidden, own, own, None, False)
        back = params["kernel"].T if self.tied else params["decoder"]
        return hidden @ back + params["visible"]


def affine(params: Any, x: Array) -> Array:
    """Return xW + b, or xW of a layer without biases."""
    z = x @ params["kernel"]
    return z + params["bias"] if "bias" in params else z
