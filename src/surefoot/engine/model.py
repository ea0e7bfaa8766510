"""A trained network with all that it needs to predict, in memory and on disk.

On disk it is two files: `model.safetensors`, the arrays, and `model.json`, everything else, with
the checksums of both. Both are plain data; nothing in them is ever executed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from surefoot.checksums import check_file, check_seal, of_file, sealed
from surefoot.data import Encoding, Preprocessing, Target, prepare
from surefoot.engine.blueprint import Blueprint, step_numbers
from surefoot.engine.inputs import InputScaling
from surefoot.engine.objective import Scaling
from surefoot.engine.placement import stack
from surefoot.engine.programs import programs_for
from surefoot.engine.step import LaneInput
from surefoot.engine.tensors import Arrays, filled, named, read_tensors, write_tensors
from surefoot.errors import RunError, SurefootError, TrainingError
from surefoot.files import read_json, write_json, write_whole
from surefoot.recipe import Recipe, numbers

# 1: without checksums.
FORMAT = 2
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
        return self.forward(
            prepare(x, self.preprocessing, self.feature_shape, dtype, self.encoding)
        )

    def forward(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the network's predictions for rows that were prepared, [rows, outputs].

        Args:
            rows: as the first layer takes them, [rows, *feature_shape], in the recipe's precision.
        """
        dtype = np.dtype(self.recipe.train.precision)
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
        return None if self.target.kind == "numbers" else self.chances(self.outputs(x))

    def chances(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Return the chance of each class, [rows, classes], or label, by the net's outputs."""
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
        """Write the two files, each whole or not at all.

        Raises:
            TrainingError: a weight or a running average is not finite; nothing is written.
            RunError: the disk is full, or the folder cannot be written.
        """
        tree = {"params": self.params, "state": self.state}
        arrays = named({**tree, "scaling": self.scaling._asdict()})
        arrays |= named({"preprocessing": self.preprocessing.to_arrays()})
        _check_finite(arrays)
        path = folder / "model.safetensors"
        write_whole(path, lambda temporary: write_tensors(temporary, arrays))
        about = {
            "format": FORMAT,
            "recipe": self.recipe.to_dict(),
            "feature_shape": list(self.feature_shape),
            "target": self.target.to_dict(),
            "encoding": None if self.encoding is None else self.encoding.to_dict(),
            "arrays": of_file(path),
        }
        write_json(folder / "model.json", sealed(about))

    @classmethod
    def load(cls, folder: Path) -> Model:
        """Read a model from a run's folder.

        Raises:
            RunError: a file is missing, broken, altered, or does not fit the others.
        """
        path = folder / "model.safetensors"
        about = read_json(folder / "model.json")
        if not isinstance(about, dict) or about.get("format") not in (1, FORMAT):
            raise RunError(f"{folder / 'model.json'}: not a model of format {FORMAT}")
        if about["format"] != 1 or "sha256" in about:
            check_seal(about, folder / "model.json")
            check_file(path, about.get("arrays"))
        arrays = read_tensors(path)
        try:
            return cls._assemble(about, arrays)
        except (SurefootError, KeyError, TypeError, ValueError, AttributeError) as error:
            reason = str(error).splitlines()[0]
            raise RunError(
                f"{folder}: model.json and model.safetensors disagree: {reason}"
            ) from None

    @classmethod
    def _assemble(cls, about: dict[str, Any], arrays: Arrays) -> Model:
        recipe = Recipe.parse(about["recipe"], where="model.json")
        target = Target.from_dict(about["target"])
        shape = tuple(int(size) for size in about["feature_shape"])
        if not shape or min(shape) < 1:
            raise RunError(f"feature_shape is {list(shape)}")
        network = Blueprint.of(recipe, shape, target).network
        dtype = np.dtype(recipe.train.precision)
        have = sum(array.size for name, array in arrays.items() if name.startswith("params."))
        need = sum(site.weights for site in network.sites)
        if need > have:
            raise RunError(f"the recipe's net has {need:,} weights and the file {have:,}")
        # Drawn anew for their shapes alone: what is read must fit them, array by array.
        params, state = network.init(0, numbers(recipe.net), dtype)
        tree = filled({"params": params, "state": state}, arrays)
        _check_finite(arrays)
        scaling = Scaling(arrays["scaling.mean"], arrays["scaling.scale"])
        prefix = "preprocessing."
        preprocessing = Preprocessing.from_arrays(
            {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
        )
        _check_fit(scaling, preprocessing, target, shape)
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
        step = jax.tree.map(itemgetter(0), stack([step_numbers(self.recipe)], dtype))
        zero = np.int32(0)
        # Rows are scaled on the host: what the program is given holds no bytes.
        none = InputScaling(np.zeros(0, dtype), np.zeros(0, dtype))
        given = LaneInput(step, self.scaling, none, np.uint32(0), zero, np.ones((), dtype))
        return jax.device_put(
            jax.tree.map(lambda array: np.asarray(array)[None], (self.params, self.state, given))
        )


def _check_fit(
    scaling: Scaling, preprocessing: Preprocessing, target: Target, shape: tuple[int, ...]
) -> None:
    """Refuse numbers for other inputs or targets than the net's."""
    if scaling.mean.shape != scaling.scale.shape or scaling.mean.shape not in (
        (0,),
        (target.size,),
    ):
        raise RunError(f"the scaling of targets has shape {scaling.mean.shape}")
    for name, array in preprocessing.to_arrays().items():
        if array.ndim != 1 or not array.size or shape[-1] % array.size:
            raise RunError(f"preprocessing.{name} has shape {array.shape} and inputs {shape}")


def _check_finite(arrays: Arrays) -> None:
    """Refuse weights that are not finite: they are no model."""
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise TrainingError(
                f"{name} holds values that are not finite; train with a lower learning rate, or "
                "with inputs of a smaller scale"
            )
