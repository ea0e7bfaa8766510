"""A trained network with all that it needs to predict, in memory and on disk.

On disk it is two files: `model.safetensors`, the arrays, and `model.json`, everything else. Both
are plain data; nothing in them is ever executed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from surefoot.data import Encoding, Preprocessing, Target, prepare
from surefoot.engine.blueprint import Blueprint, step_numbers
from surefoot.engine.inputs import InputScaling
from surefoot.engine.objective import Scaling
from surefoot.engine.programs import programs_for
from surefoot.engine.step import LaneInput
from surefoot.errors import RunError, SurefootError
from surefoot.files import read_json, write_json, write_whole
from surefoot.recipe import Recipe, numbers

FORMAT = 1
_CHUNK = 256


@dataclass(frozen=True)
class Model:
    """A trained network.

    Attributes:
        recipe: how it was trained.
        params: its weights, a tree of arrays.
        state: running averages of normalization.
        scaling: of the targets.
        target: what its outputs mean.
        preprocessing: what is done to raw inputs.
        feature_shape: the shape of one prepared input.
        encoding: how a table's columns become one prepared input; `None` without a table.
    """

    recipe: Recipe
    params: Any
    state: Any
    scaling: Scaling
    target: Target
    preprocessing: Preprocessing
    feature_shape: tuple[int, ...]
    encoding: Encoding | None = None

    def outputs(self, x: Any) -> NDArray[Any]:
        """Return the network's predictions for raw rows, [rows, outputs].

        Probabilities where the net ends in a softmax or sigmoid, numbers in the target's units
        for regression.

        Raises:
            DataError: the rows do not have the shape that the net was trained on.
        """
        dtype = np.dtype(self.recipe.train.precision)
        rows = prepare(x, self.preprocessing, self.feature_shape, dtype, self.encoding)
        with jax.enable_x64(dtype == np.float64):
            lane = self._lane
            # A power of two: few programs are compiled, whatever the number of rows.
            chunk = min(_CHUNK, 1 << max(0, len(rows) - 1).bit_length())
            shape = np.zeros((chunk, *rows.shape[1:]), dtype)
            predict = self._programs.predict.prepare(*lane, shape).compiled()
            parts = []
            for first in range(0, len(rows), chunk):
                part = rows[first : first + chunk]
                filled = np.zeros((chunk, *rows.shape[1:]), dtype)
                filled[: len(part)] = part
                parts.append(np.asarray(predict(*lane, filled))[0, : len(part)])
        return np.concatenate(parts) if parts else np.zeros((0, self.target.size), dtype)

    def predict(self, x: Any) -> NDArray[Any]:
        """Return labels, or numbers in the target's units, for raw rows."""
        outputs = self.outputs(x)
        if self.target.kind == "numbers":
            return outputs[:, 0] if outputs.shape[1] == 1 else outputs
        if self.target.kind == "labels":
            return (outputs > 0.5).astype(int)
        if outputs.shape[1] == 1:
            return self.target.decode((outputs[:, 0] > 0.5).astype(np.int32))
        return self.target.decode(np.argmax(outputs, axis=1).astype(np.int32))

    def probabilities(self, x: Any) -> NDArray[Any] | None:
        """Return the chance of each class, [rows, classes]; None where there are no classes.

        A single output is the chance of the second class. Outputs that are not a distribution
        are divided by their sum, as the loss does.
        """
        if self.target.kind == "numbers":
            return None
        outputs = self.outputs(x)
        if self.target.kind == "labels":
            return outputs
        if outputs.shape[1] == 1:
            second = np.clip(outputs, 0, 1)
            return np.concatenate([1 - second, second], axis=1)
        positive = np.maximum(outputs, 0)
        total = positive.sum(axis=1, keepdims=True)
        even = np.full_like(positive, 1 / positive.shape[1])
        return np.divide(positive, total, out=even, where=total > 0)

    def save(self, folder: Path) -> None:
        """Write the two files, each whole or not at all."""
        from safetensors.numpy import save_file

        arrays = _named({"params": self.params, "state": self.state})
        arrays |= {f"scaling.{k}": np.asarray(v) for k, v in self.scaling._asdict().items()}
        arrays |= {f"preprocessing.{k}": v for k, v in self.preprocessing.to_arrays().items()}
        arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        write_whole(folder / "model.safetensors", lambda path: save_file(arrays, path))
        about = {
            "format": FORMAT,
            "recipe": self.recipe.to_dict(),
            "feature_shape": list(self.feature_shape),
            "target": self.target.to_dict(),
            "encoding": None if self.encoding is None else self.encoding.to_dict(),
        }
        write_json(folder / "model.json", about)

    @classmethod
    def load(cls, folder: Path) -> Model:
        """Read a model from a run's folder.

        Raises:
            RunError: a file is missing, broken, or does not fit the others.
        """
        about = read_json(folder / "model.json")
        if not isinstance(about, dict) or about.get("format") != FORMAT:
            raise RunError(f"{folder / 'model.json'}: not a model of format {FORMAT}")
        arrays = _read_arrays(folder / "model.safetensors")
        try:
            return cls._assemble(about, arrays)
        except (SurefootError, KeyError, TypeError, ValueError, AttributeError) as error:
            reason = str(error).splitlines()[0]
            raise RunError(
                f"{folder}: model.json and model.safetensors disagree: {reason}"
            ) from None

    @classmethod
    def _assemble(cls, about: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Model:
        recipe = Recipe.parse(about["recipe"], where="model.json")
        target = Target.from_dict(about["target"])
        shape = tuple(int(size) for size in about["feature_shape"])
        network = Blueprint.of(recipe, shape, target).network
        dtype = np.dtype(recipe.train.precision)
        # Drawn anew for their shapes alone: what is read must fit them, array by array.
        params, state = network.init(0, numbers(recipe.net), dtype)
        tree = _filled({"params": params, "state": state}, arrays)
        scaling = Scaling(arrays["scaling.mean"], arrays["scaling.scale"])
        prefix = "preprocessing."
        preprocessing = Preprocessing.from_arrays(
            {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
        )
        encoding = about.get("encoding")
        return cls(
            recipe,
            tree["params"],
            tree["state"],
            scaling,
            target,
            preprocessing,
            shape,
            None if encoding is None else Encoding.from_dict(encoding),
        )

    @cached_property
    def _programs(self) -> Any:
        return programs_for(Blueprint.of(self.recipe, self.feature_shape, self.target))

    @cached_property
    def _lane(self) -> Any:
        """Return weights, state and numbers as a cohort of one lane, on the device."""
        dtype = np.dtype(self.recipe.train.precision)
        step = jax.tree.map(lambda value: np.asarray(value, dtype), step_numbers(self.recipe))
        zero = np.int32(0)
        # Rows are scaled on the host: what the program is given holds no bytes.
        none = InputScaling(np.zeros(0, dtype), np.zeros(0, dtype))
        given = LaneInput(step, self.scaling, none, np.uint32(0), zero, np.ones((), dtype))
        return jax.device_put(
            jax.tree.map(lambda array: np.asarray(array)[None], (self.params, self.state, given))
        )


def _named(tree: Any) -> dict[str, NDArray[Any]]:
    """Name each array of a tree by its path: ``params.0.kernel``."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {_path(path): np.asarray(leaf) for path, leaf in leaves}


def _filled(tree: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    """Put arrays in the places of a tree of shapes; refuse what is missing or does not fit."""

    def fill(path: Any, shape: Any) -> NDArray[Any]:
        name = _path(path)
        array = arrays.get(name)
        if array is None:
            raise RunError(f"{name} is missing")
        if array.shape != shape.shape or array.dtype != shape.dtype:
            raise RunError(f"{name} has shape {array.shape}, the recipe's net {shape.shape}")
        if not np.isfinite(array).all():
            raise RunError(f"{name} holds values that are not finite")
        return array

    return jax.tree_util.tree_map_with_path(fill, tree)


def _path(path: Any) -> str:
    return ".".join(str(getattr(step, "key", getattr(step, "idx", step))) for step in path)


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except FileNotFoundError:
        raise RunError(f"{path}: no such file; is this a run's folder?") from None
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"{path}: not a readable model: {reason}") from None
