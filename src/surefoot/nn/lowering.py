"""How convolution and pooling are computed on each kind of device.

XLA's CPU backend runs `lax.conv_general_dilated` and its gradients inside a `scan` many times
slower than matrix products of the same size, so on the CPU a convolution is slices and matrix
products, and pooling is elementwise work on slices. Elsewhere both are XLA's own operations.

Every form is made of plain differentiable operations: forward mode, reverse mode, their mixtures
and `vmap` (over `x`, the kernel, or both) come from JAX itself.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from surefoot.backend import convolves_by_products
from surefoot.errors import InputError
from surefoot.nn.winograd import winograd3x3

Padding = Literal["same", "valid"]
ConvMethod = Literal["auto", "matmul", "winograd", "lax"]
PoolMethod = Literal["auto", "slices", "lax"]
_Pair = tuple[int, int]

# With fewer channels the products are too thin to pay for the transforms.
_WINOGRAD_CHANNELS = 16


def conv2d(
    x: jax.Array,
    kernel: jax.Array,
    stride: int | _Pair = 1,
    padding: Padding = "same",
    method: ConvMethod = "auto",
) -> jax.Array:
    """Cross-correlate pictures with a kernel, as neural networks understand convolution.

    ``y[n, i, j, f] = Σ x[n, i·sₕ + a − pₕ, j·s_w + b − p_w, c] · kernel[a, b, c, f]`` over a, b, c.

    Args:
        x: `[N, H, W, C]`.
        kernel: `[kₕ, k_w, C, F]`.
        stride: steps between outputs, one number or (down, across).
        padding: `"valid"`, none; `"same"`, zeros so that the output has ⌈H / sₕ⌉ rows, the odd one
            below and to the right, as TensorFlow and `lax` pad.
        method: `"matmul"`, im2col and one matrix product; `"winograd"`, fewer multiplications, for
            3×3 and stride 1; `"lax"`, XLA's convolution; `"auto"`, the fastest for the default
            backend, read when traced.

    Returns:
        `[N, H', W', F]`, of the inputs' dtype.

    Raises:
        InputError: the window does not fit, or `padding` or `method` is unknown.

    >>> import jax.numpy as jnp
    >>> conv2d(jnp.ones((1, 3, 3, 1)), jnp.ones((3, 3, 1, 1)))[0, :, :, 0].tolist()
    [[4.0, 6.0, 4.0], [6.0, 9.0, 6.0], [4.0, 6.0, 4.0]]
    """
    strides, size = _pair(stride), (kernel.shape[0], kernel.shape[1])
    _check("conv2d", "method", method, get_args(ConvMethod))
    pads = _pads("conv2d", x, size, strides, padding)
    simple = size == (3, 3) and strides == (1, 1)
    if method == "auto":
        # Its sums of neighbours would lose most of what bfloat16 holds.
        wide = min(kernel.shape[2:]) >= _WINOGRAD_CHANNELS and x.dtype != jnp.bfloat16
        method = ("winograd" if simple and wide else "matmul") if convolves_by_products() else "lax"
    if method == "lax":
        return lax.conv_general_dilated(
            x, kernel, strides, pads, dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
    x = _pad(x, pads, 0.0)
    if method == "matmul":
        patches = _patches(x, size, strides)
        # Two dimensions, so that the gradients are two-dimensional products as well: XLA's CPU
        # backend transposes the operands of others.
        flat = patches.reshape(-1, patches.shape[-1]) @ kernel.reshape(-1, kernel.shape[-1])
        return flat.reshape(*patches.shape[:3], -1)
    if not simple:
        raise InputError(
            f"conv2d: method 'winograd' is for 3×3 kernels and stride 1, not {size} and {strides};"
            " use 'auto'"
        )
    return winograd3x3(x, kernel)


def max_pool2d(
    x: jax.Array,
    size: int | _Pair,
    stride: int | _Pair | None = None,
    padding: Padding = "valid",
    method: PoolMethod = "auto",
) -> jax.Array:
    """Take the largest element of each window; the gradient goes to the first such element.

    Args:
        x: `[N, H, W, C]`.
        size: the window, one number or (down, across).
        stride: steps between windows; None, the window's size.
        padding: as for `conv2d`; what is padded is never the largest.
        method: `"slices"`, elementwise on slices; `"lax"`, XLA's window reduction; `"auto"`, the
            fastest for the default backend.

    Returns:
        `[N, H', W', C]`. A window that holds a NaN gives NaN.

    Raises:
        InputError: the window does not fit, or `padding` or `method` is unknown.

    >>> import jax.numpy as jnp
    >>> max_pool2d(jnp.arange(16.0).reshape(1, 4, 4, 1), 2)[0, :, :, 0].tolist()
    [[5.0, 7.0], [13.0, 15.0]]
    """
    sizes, strides = _pair(size), _pair(size if stride is None else stride)
    _check("max_pool2d", "method", method, get_args(PoolMethod))
    pads = _pads("max_pool2d", x, sizes, strides, padding)
    if method == "slices" or (method == "auto" and convolves_by_products()):
        x = _pad(x, pads, -jnp.inf)
        # Across, then down: with ties the survivor is the first in reading order.
        for axis in (2, 1):
            first, *rest = _windows(x, axis, sizes[axis - 1], strides[axis - 1])
            for other in rest:
                first = jnp.where((first >= other) | jnp.isnan(first), first, other)
            x = first
        return x
    return lax.reduce_window(
        x, -jnp.inf, lax.max, (1, *sizes, 1), (1, *strides, 1), ((0, 0), *pads, (0, 0))
    )


def average_pool2d(
    x: jax.Array,
    size: int | _Pair,
    stride: int | _Pair | None = None,
    padding: Padding = "valid",
    method: PoolMethod = "auto",
) -> jax.Array:
    """Average each window; padding counts neither in the sum nor in the number of elements.

    Args:
        x: `[N, H, W, C]`.
        size: the window, one number or (down, across).
        stride: steps between windows; None, the window's size.
        padding: as for `conv2d`.
        method: as for `max_pool2d`.

    Returns:
        `[N, H', W', C]`.

    Raises:
        InputError: the window does not fit, or `padding` or `method` is unknown.

    >>> import jax.numpy as jnp
    >>> average_pool2d(jnp.arange(9.0).reshape(1, 3, 3, 1), 2, padding="same")[0, :, :, 0].tolist()
    [[2.0, 3.5], [6.5, 8.0]]
    """
    sizes, strides = _pair(size), _pair(size if stride is None else stride)
    _check("average_pool2d", "method", method, get_args(PoolMethod))
    pads = _pads("average_pool2d", x, sizes, strides, padding)
    counts = np.outer(*(_real(x.shape[a + 1], sizes[a], strides[a], pads[a]) for a in (0, 1)))[
        :, :, None
    ].astype(x.dtype)
    if method == "slices" or (method == "auto" and convolves_by_products()):
        x = _pad(x, pads, 0.0)
        for axis in (2, 1):
            x = sum(_windows(x, axis, sizes[axis - 1], strides[axis - 1]))
        return x / counts
    total = lax.reduce_window(
        x, 0.0, lax.add, (1, *sizes, 1), (1, *strides, 1), ((0, 0), *pads, (0, 0))
    )
    return total / counts


def _patches(x: jax.Array, size: _Pair, strides: _Pair) -> jax.Array:
    """Gather each window's elements: `[N, H, W, C]` to `[N, H', W', kₕ·k_w·C]`, kernel order.

    Across first, then down: XLA fuses each half into one parallel loop, which a concatenation of
    all kₕ·k_w slices is not.
    """
    across = jnp.concatenate(_windows(x, 2, size[1], strides[1]), axis=-1)
    both = jnp.stack(_windows(across, 1, size[0], strides[0]), axis=3)
    return both.reshape(*both.shape[:3], -1)


def _windows(x: jax.Array, axis: int, size: int, stride: int) -> list[jax.Array]:
    """Return `size` arrays: the k-th holds the k-th element of every window along an axis."""
    count = (x.shape[axis] - size) // stride + 1
    if size == stride:  # windows side by side: a reshape, whose gradient costs less than slices'
        x = lax.slice_in_dim(x, 0, count * size, axis=axis)
        x = x.reshape(*x.shape[:axis], count, size, *x.shape[axis + 1 :])
        return [lax.index_in_dim(x, k, axis + 1, keepdims=False) for k in range(size)]
    last = (count - 1) * stride + 1
    return [lax.slice_in_dim(x, k, k + last, stride, axis) for k in range(size)]


def _pads(
    where: str, x: jax.Array, size: _Pair, strides: _Pair, padding: Padding
) -> tuple[_Pair, _Pair]:
    """Return what to pad (before, after), down and across."""
    _check(where, "padding", padding, get_args(Padding))
    if padding == "valid":
        for length, window, name in zip(x.shape[1:3], size, ("rows", "columns"), strict=True):
            if window > length:
                raise InputError(
                    f"{where}: a window of {window} {name} does not fit in {length}; make it"
                    " smaller, or use padding 'same'"
                )
        return (0, 0), (0, 0)
    totals = (
        max((math.ceil(length / stride) - 1) * stride + window - length, 0)
        for length, window, stride in zip(x.shape[1:3], size, strides, strict=True)
    )
    down, across = ((total // 2, total - total // 2) for total in totals)
    return down, across


def _pad(x: jax.Array, pads: tuple[_Pair, _Pair], value: float) -> jax.Array:
    if pads == ((0, 0), (0, 0)):
        return x
    return jnp.pad(x, ((0, 0), *pads, (0, 0)), constant_values=value)


def _real(length: int, size: int, stride: int, pads: _Pair) -> np.ndarray:
    """Count the elements of each window along an axis that are not padding."""
    before, after = pads
    starts = np.arange(0, before + length + after - size + 1, stride) - before
    return np.minimum(starts + size, length) - np.maximum(starts, 0)


def _pair(value: int | _Pair) -> _Pair:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _check(where: str, key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"{where}: {key} is {value!r}; use one of {', '.join(allowed)}")
