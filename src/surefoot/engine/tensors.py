"""Trees of arrays as safetensors files: named by their paths, checked when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from surefoot.data.memory import free_bytes
from surefoot.errors import RunError

Arrays = dict[str, NDArray[Any]]


def named(tree: Any) -> Arrays:
    """Name each array of a tree by its path.

    >>> sorted(named({"params": [{"bias": np.zeros(1)}, {"bias": np.ones(1)}]}))
    ['params.0.bias', 'params.1.bias']
    """
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    arrays = {_name(path): np.asarray(leaf, order="C") for path, leaf in leaves}
    if len(arrays) != len(leaves):
        raise ValueError("two arrays of this tree have the same name")
    return arrays


def filled(template: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """Put arrays in the places of a tree whose leaves have shapes and types.

    Raises:
        RunError: one is missing, or has another shape or type.
    """

    def fill(path: Any, leaf: Any) -> NDArray[Any]:
        name = _name(path)
        array = arrays.get(name)
        if array is None:
            raise RunError(f"{name} is missing")
        if array.shape != leaf.shape or array.dtype != leaf.dtype:
            raise RunError(
                f"{name} is {array.dtype}{list(array.shape)} and has to be "
                f"{leaf.dtype}{list(leaf.shape)}"
            )
        return array

    return jax.tree_util.tree_map_with_path(fill, template)


def size_of(template: Any) -> int:
    """Return how many bytes the arrays of a tree take, from their shapes and types alone."""
    return sum(prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(template))


def write_tensors(path: Path, arrays: Arrays) -> None:
    """Write arrays to a safetensors file.

    Raises:
        OSError: the disk is full, or the place cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        save_file(arrays, path)
    except SafetensorError as error:
        raise OSError(0, _reason(error)) from None


def read_tensors(path: Path, most_bytes: int | None = None) -> Arrays:
    """Read the arrays of a safetensors file.

    Args:
        path: the file.
        most_bytes: how many bytes of arrays are expected at most; no file that is larger than
            these with their names, or than the free memory, is read.

    Raises:
        RunError: it is missing, larger, or not such a file.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        size = path.stat().st_size
        if most_bytes is not None and size > most_bytes + _HEADER:
            raise RunError(f"{path}: has {size:,} bytes; {most_bytes:,} would fit the recipe's net")
        if size > free_bytes():
            raise RunError(f"{path}: has {size:,} bytes, more than there is free memory")
        return load_file(path)
    except FileNotFoundError:
        raise RunError(f"{path}: no such file; is this a run's folder?") from None
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or _reason(error)}") from None
    except RunError:
        raise
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path}: not a readable safetensors file: {_reason(error)}") from None


# What names and shapes may take beside the arrays themselves.
_HEADER = 16_000_000


def _name(path: Any) -> str:
    return jax.tree_util.keystr(path, simple=True, separator=".")


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
