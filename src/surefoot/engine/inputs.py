"""From rows as they lie on the device to what the net is given: scaled, and changed at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from surefoot.nn.layer import Array, Shape
from surefoot.recipe.data import Augment


class InputScaling(NamedTuple):
    """Mean and scale of each channel of pictures; empty where inputs were scaled beforehand."""

    mean: Array
    scale: Array


@dataclass(frozen=True)
class Inputs:
    """What happens to a batch before the first layer.

    Pictures lie on the device as bytes, a quarter of what numbers would take, and become numbers
    within the step: (x − mean)/scale for each channel, so that 0 is the mean colour.

    Attributes:
        pictures: whether rows are pictures as bytes; other rows pass as they are.
        augment: the random changes of training pictures.
        shape: what the net takes; a dense one has pictures flattened.
    """

    pictures: bool
    augment: Augment
    shape: Shape

    @property
    def random(self) -> bool:
        """Whether training draws random numbers here."""
        return self.pictures and self.augment != Augment()

    def __call__(self, x: Array, scaling: InputScaling, key: Array | None) -> Array:
        """Return the batch for the net.

        Args:
            x: [batch, …], bytes for pictures.
            scaling: of each channel.
            key: randomness of this step; None in evaluation: no random change then.
        """
        if not self.pictures:
            return x
        x = (x.astype(scaling.mean.dtype) - scaling.mean) / scaling.scale
        if self.random and key is not None:
            x = _change(x, self.augment, key)
        return x.reshape(x.shape[0], *self.shape)


def _change(x: Array, augment: Augment, key: Array) -> Array:
    """Apply the random changes, drawn for each picture alone."""
    across, down, moves, cuts = jax.random.split(key, 4)
    if augment.flip:
        x = jnp.where(_coin(across, x), x[:, :, ::-1], x)
    if augment.flip_vertical:
        x = jnp.where(_coin(down, x), x[:, ::-1], x)
    if augment.crop < 1:
        x = _cut(x, augment.crop, cuts)
    if augment.shift:
        x = _move(x, augment.shift, moves)
    return x


def _coin(key: Array, x: Array) -> Array:
    return jax.random.bernoulli(key, 0.5, (x.shape[0], 1, 1, 1))


def _move(x: Array, most: int, key: Array) -> Array:
    """Move each picture by up to ``most`` pixels each way; zeros, the mean colour, follow."""
    offsets = jax.random.randint(key, (x.shape[0], 2), 0, 2 * most + 1)
    padded = jnp.pad(x, ((0, 0), (most, most), (most, most), (0, 0)))

    def one(picture: Array, offset: Array) -> Array:
        return lax.dynamic_slice(picture, (offset[0], offset[1], 0), x.shape[1:])

    return jax.vmap(one)(padded, offsets)


def _cut(x: Array, smallest: float, key: Array) -> Array:
    """Cut a part of each picture out and stretch it to the whole, linearly between pixels.

    A stretch along one axis is a matrix of weights, a row for each new pixel with the shares of
    the two old ones that it lies between: two small matrix products a picture.
    """
    count, height, width = x.shape[:3]
    sides, places = jax.random.split(key)
    side = jax.random.uniform(sides, (count,), x.dtype, smallest, 1.0)
    place = jax.random.uniform(places, (count, 2), x.dtype) * (1 - side[:, None])
    rows = _stretch(height, side, place[:, 0])
    columns = _stretch(width, side, place[:, 1])
    return jnp.einsum("nih,nhwc,njw->nijc", rows, x, columns)


def _stretch(size: int, share: Array, start: Array) -> Array:
    """Return [pictures, size, size]: the weights of old pixels (last) in new ones."""
    new, old = jnp.arange(size, dtype=share.dtype), jnp.arange(size, dtype=share.dtype)
    # Centres of pixels: the new i-th lies at (i + 1/2) · share + start · size − 1/2.
    centres = (new[None] + 0.5) * share[:, None] + start[:, None] * size - 0.5
    centres = jnp.clip(centres, 0, size - 1)
    return jnp.maximum(1 - jnp.abs(centres[:, :, None] - old), 0)
