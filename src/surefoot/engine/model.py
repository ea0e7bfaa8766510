"""A trained network with all that it needs to predict, in memory and on disk.

On disk it is two files: `model.safetensors`, the arrays, and `model.json`, everything else, with
the checksums of both. Both are plain data; nothing in them is ever executed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
from surefoot.engine.predictor import Predictor
from surefoot.engine.program import Program
from surefoot.engine.programs import programs_for
from surefoot.engine.step import LaneInput
from surefoot.engine.tensors import Arrays, filled, named, read_tensors, write_tensors
from surefoot.errors import InputError, RunError, SurefootError, TrainingError
from surefoot.files import read_json, write_json, write_whole
from surefoot.recipe import Recipe, numbers

# 1: without checksums.
FORMAT = 2
_CHUNK = 256


@dataclass(frozen=True)
class Model(Predictor):
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
        """Return the network's predictions for raw rows, as `Predictor` says."""
        return self.forward(self._prepared(x))

    def _prepared(self, x: Any) -> NDArray[Any]:
        dtype = np.dtype(self.recipe.train.dtype)
        return prepare(x, self.preprocessing, self.feature_shape, dtype, self.encoding)

    def forward(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the network's predictions for rows that were prepared, [rows, outputs].

        Args:
            rows: as the first layer takes them, [rows, *feature_shape], in the recipe's precision.
        """
        return self._run(self._programs.predict, rows)

    def draws(self, x: Any, samples: int, seed: int = 0) -> NDArray[Any]:
        """Return what the net says with units dropped at random: Gal and Ghahramani 2016.

        Each sample is one thinned net, the same for all rows, so that what is said of a row does
        not depend on those beside it. Normalization takes its running averages, as ever.

        Args:
            x: raw rows.
            samples: how many thinned nets.
            seed: of what they drop.

        Returns:
            Chances, or numbers in the target's units, [samples, rows, outputs].

        Raises:
            InputError: the net has no dropout, or ``samples`` is below 1.
        """
        drawn = self.drawn(self._prepared(x), samples, seed)
        whole = self.target.kind == "numbers"
        return drawn if whole else np.stack([self.chances(outputs) for outputs in drawn])

    def drawn(self, rows: NDArray[Any], samples: int, seed: int) -> NDArray[Any]:
        """Return outputs of thinned nets for prepared rows; `draws` says the rest."""
        if samples < 1:
            raise InputError(f"dropout = {samples}: at least 1 thinned net has to be asked")
        if not self.has_dropout:
            raise InputError(
                "dropout: the net has no dropout layer whose rate is above 0: there is nothing to "
                "draw; leave it out, or train with {dropout = 0.1} among net.layers"
            )
        program = self._programs.draw
        return np.stack(
            [self._run(program, rows, np.uint32(seed), np.int32(i)) for i in range(samples)]
        )

    @property
    def has_dropout(self) -> bool:
        """Whether a dropout layer has a rate above 0."""
        return any(_dropout_rates(numbers(self.recipe.net)))

    def _run(self, program: Program, rows: NDArray[Any], *more: Any) -> NDArray[Any]:
        """Run a program for prepared rows, chunk by chunk."""
        dtype = np.dtype(self.recipe.train.dtype)
        with jax.enable_x64(dtype == np.float64):
            lane = self._lane
            # A power of two: few programs are compiled, whatever the number of rows.
            chunk = min(_CHUNK, 1 << max(0, len(rows) - 1).bit_length())
            shape = np.zeros((chunk, *rows.shape[1:]), dtype)
            compiled = program.prepare(*lane, shape, *more).compiled()
            parts = []
            for first in range(0, len(rows), chunk):
                part = rows[first : first + chunk]
                filled = np.zeros((chunk, *rows.shape[1:]), dtype)
                filled[: len(part)] = part
                parts.append(np.asarray(compiled(*lane, filled, *more))[0, : len(part)])
        return np.concatenate(parts) if parts else np.zeros((0, self.target.size), dtype)

    def save(self, folder: Path) -> None:
        """Write the two files, each whole or not at all.

        Raises:
            TrainingError: a weight or a running average is not finite; nothing is written.
            RunError: the disk is full, or the folder cannot be written.
        """
        save_parts(folder, *self.parts())

    def parts(self) -> tuple[dict[str, Any], Arrays]:
        """Return what is known of the net, as JSON has it, and its arrays by name.

        Raises:
            TrainingError: a weight or a running average is not finite.
        """
        tree = {"params": self.params, "state": self.state}
        arrays = named({**tree, "scaling": self.scaling._asdict()})
        arrays |= named({"preprocessing": self.preprocessing.to_arrays()})
        _check_finite(arrays)
        about = {
            "recipe": self.recipe.to_dict(),
            "feature_shape": list(self.feature_shape),
            "target": self.target.to_dict(),
            "encoding": None if self.encoding is None else self.encoding.to_dict(),
        }
        return about, arrays

    @classmethod
    def load(cls, folder: Path) -> Model:
        """Read a model from a run's folder.

        Raises:
            RunError: a file is missing, broken, altered, or does not fit the others.
        """
        about, arrays = load_parts(folder)
        if "members" in about:
            raise RunError(f"{folder}: is an ensemble, and a single trained net is needed here")
        with agreeing(folder):
            return cls.assemble(about, arrays)

    @classmethod
    def assemble(cls, about: dict[str, Any], arrays: Arrays) -> Model:
        """Return the model that has these parts, from `parts`; whatever is wrong raises."""
        recipe = Recipe.parse(about["recipe"], where="model.json")
        target = Target.from_dict(about["target"])
        shape = tuple(int(size) for size in about["feature_shape"])
        if not shape or min(shape) < 1:
            raise RunError(f"feature_shape is {list(shape)}")
        network = Blueprint.of(recipe, shape, target).network
        dtype = np.dtype(recipe.train.dtype)
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
        dtype = np.dtype(self.recipe.train.dtype)
        step = jax.tree.map(itemgetter(0), stack([step_numbers(self.recipe)], dtype))
        zero = np.int32(0)
        # Rows are scaled on the host: what the program is given holds no bytes.
        none = InputScaling(np.zeros(0, dtype), np.zeros(0, dtype))
        given = LaneInput(step, self.scaling, none, np.uint32(0), zero, np.ones((), dtype))
        return jax.device_put(
            jax.tree.map(lambda array: np.asarray(array)[None], (self.params, self.state, given))
        )


def save_parts(folder: Path, about: dict[str, Any], arrays: Arrays) -> None:
    """Write a model's two files from its parts, each whole or not at all."""
    path = folder / "model.safetensors"
    write_whole(path, lambda temporary: write_tensors(temporary, arrays))
    write_json(folder / "model.json", sealed({"format": FORMAT, **about, "arrays": of_file(path)}))


def load_parts(folder: Path) -> tuple[dict[str, Any], Arrays]:
    """Read a model's two files, and check them against their checksums.

    Raises:
        RunError: a file is missing, broken or altered.
    """
    return check_parts(folder), read_tensors(folder / "model.safetensors")


def check_parts(folder: Path) -> dict[str, Any]:
    """Check a model's two files against their checksums; return what `model.json` says.

    Raises:
        RunError: a file is missing or altered.
    """
    about = read_json(folder / "model.json")
    if not isinstance(about, dict) or about.get("format") not in (1, FORMAT):
        raise RunError(f"{folder / 'model.json'}: not a model of format {FORMAT}")
    if about["format"] != 1 or "sha256" in about:
        check_seal(about, folder / "model.json")
        check_file(folder / "model.safetensors", about.get("arrays"))
    return about


@contextmanager
def agreeing(folder: Path) -> Iterator[None]:
    """Turn whatever is wrong with the parts of a model into one line that names its folder."""
    try:
        yield
    except (SurefootError, KeyError, TypeError, ValueError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"{folder}: model.json and model.safetensors disagree: {reason}") from None


def _dropout_rates(tree: Any) -> Iterator[float]:
    """Yield the rate of each dropout layer among the numbers of a net."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from (float(value),) if name == "dropout" else _dropout_rates(value)
    elif isinstance(tree, list):
        for entry in tree:
            yield from _dropout_rates(entry)


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
