"""Three-by-three convolution with 16 multiplications where the sum has 36."""

from __future__ import annotations

import jax
import jax.numpy as jnp

_Four = tuple[jax.Array, jax.Array, jax.Array, jax.Array]


def winograd3x3(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolve without padding, stride 1, by Winograd's minimal filtering F(2×2, 3×3).

    Each 2×2 tile of outputs reads a 4×4 tile `d` of inputs. With `g` the kernel and `∘` the product
    of like elements::

        y = Aᵀ [ (G g Gᵀ) ∘ (Bᵀ d B) ] A

        Bᵀ = ⎡1  0 −1  0⎤   G = ⎡ 1   0   0⎤   Aᵀ = ⎡1 1  1  0⎤
             ⎢0  1  1  0⎥       ⎢ ½   ½   ½⎥        ⎣0 1 −1 −1⎦
             ⎢0 −1  1  0⎥       ⎢ ½  −½   ½⎥
             ⎣0  1  0 −1⎦       ⎣ 0   0   1⎦

    Over channels, each of the 16 places of a tile is one matrix product of all tiles with the
    transformed kernel, so the work is 16/36 of im2col's and the buffers are smaller as well. The
    coefficients are exact; rounding errors are about twice those of the plain sum.

    Args:
        x: input, `[N, H, W, C]`, `H` and `W` at least 3.
        kernel: `[3, 3, C, F]`.

    Returns:
        `[N, H − 2, W − 2, F]`.

    Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.

    >>> import jax.numpy as jnp
    >>> winograd3x3(jnp.ones((1, 4, 5, 2)), jnp.ones((3, 3, 2, 7))).shape
    (1, 2, 3, 7)
    """
    n, height, width, channels = x.shape
    rows, cols = height - 2, width - 2
    tiles = (n, -(-rows // 2), -(-cols // 2))
    # Odd sizes get one more row or column of zeros, and the outputs that read it are cut off.
    x = jnp.pad(x, ((0, 0), (0, rows % 2), (0, cols % 2), (0, 0)))
    weights = [_kernel_transform(w) for w in _kernel_transform(kernel)]
    inputs = [
        _input_transform(_overlapping_fours(d, 2))
        for d in _input_transform(_overlapping_fours(x, 1))
    ]
    # Sixteen separate products: XLA's CPU backend runs one batched product at half their speed.
    products = [
        [(d.reshape(-1, channels) @ w).reshape(*tiles, -1) for d, w in zip(ds, ws, strict=True)]
        for ds, ws in zip(inputs, weights, strict=True)
    ]
    by_column = [_output_transform(tuple(p)) for p in products]
    by_row = [_output_transform(tuple(half)) for half in zip(*by_column, strict=True)]
    y = jnp.stack([jnp.stack(column, axis=2) for column in by_row], axis=4)
    return y.reshape(n, 2 * tiles[1], 2 * tiles[2], -1)[:, :rows, :cols]


def _overlapping_fours(x: jax.Array, axis: int) -> _Four:
    """Return the elements 0, 1, 2 and 3 of every window of 4 that starts at an even place."""
    pairs = x.reshape(*x.shape[:axis], x.shape[axis] // 2, 2, *x.shape[axis + 1 :])
    even, odd = (jnp.take(pairs, i, axis=axis + 1) for i in range(2))
    return (
        jax.lax.slice_in_dim(even, 0, -1, axis=axis),
        jax.lax.slice_in_dim(odd, 0, -1, axis=axis),
        jax.lax.slice_in_dim(even, 1, None, axis=axis),
        jax.lax.slice_in_dim(odd, 1, None, axis=axis),
    )


def _input_transform(d: _Four) -> _Four:
    return d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]


def _kernel_transform(g: jax.Array) -> _Four:
    outer, inner = (g[0] + g[2]) / 2, g[1] / 2
    return g[0], outer + inner, outer - inner, g[2]


def _output_transform(m: _Four) -> tuple[jax.Array, jax.Array]:
    return m[0] + m[1] + m[2], m[1] - m[2] - m[3]
