"""Several trained networks that predict together, in memory and on disk as one model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data import Encoding, Preprocessing, Target
from surefoot.engine.model import Model, agreeing, load_parts, save_parts
from surefoot.engine.predictor import Predictor
from surefoot.errors import RunError
from surefoot.recipe import Recipe

# Each is read and checked; nobody has more.
_MOST = 10_000


class Committee(Predictor):
    """Trained networks with the same target: their mean is the prediction.

    Of classes and labels it is the mean of the members' chances, of numbers that of their numbers.
    Members may have different nets, and prepare raw rows each in its own way.

    Attributes:
        members: the networks.
    """

    def __init__(self, members: Sequence[Model]) -> None:
        self.members = tuple(members)

    @property
    def recipe(self) -> Recipe:
        """The first member's."""
        return self.members[0].recipe

    @property
    def target(self) -> Target:
        """What the outputs mean: the same for all members."""
        return self.members[0].target

    @property
    def preprocessing(self) -> Preprocessing:
        """The first member's."""
        return self.members[0].preprocessing

    @property
    def encoding(self) -> Encoding | None:
        """The first member's: all read the same columns."""
        return self.members[0].encoding

    def outputs(self, x: Any) -> NDArray[Any]:
        """Return the mean of the members' chances, or numbers, for raw rows, [rows, outputs]."""
        return self.each(x).mean(axis=0)

    def each(self, x: Any) -> NDArray[Any]:
        """Return each member's chances, or numbers, for raw rows, [members, rows, outputs]."""
        return np.concatenate([member.each(x) for member in self.members])

    def draws(self, x: Any, samples: int, seed: int = 0) -> NDArray[Any]:
        """Return what each member says, thinned so many times, [members × samples, rows, outputs].

        Raises:
            InputError: a member has no dropout.
        """
        return np.concatenate([member.draws(x, samples, seed) for member in self.members])

    def save(self, folder: Path) -> None:
        """Write `model.safetensors` and `model.json` with all members.

        Raises:
            TrainingError: a weight is not finite; nothing is written.
            RunError: the disk is full, or the folder cannot be written.
        """
        parts = [member.parts() for member in self.members]
        arrays = {
            f"members.{number}.{name}": array
            for number, (_, own) in enumerate(parts)
            for name, array in own.items()
        }
        save_parts(folder, {"members": [about for about, _ in parts]}, arrays)


def load_predictor(folder: Path) -> Model | Committee:
    """Read the model in a run's folder: one net, or several.

    Raises:
        RunError: a file is missing, broken, altered, or does not fit the others.
    """
    about, arrays = load_parts(folder)
    if "members" not in about:
        with agreeing(folder):
            return Model.assemble(about, arrays)
    with agreeing(folder):
        given = about["members"]
        if not isinstance(given, list) or not 1 <= len(given) <= _MOST:
            raise RunError("an ensemble has from 1 to 10,000 members")
        own: list[dict[str, NDArray[Any]]] = [{} for _ in given]
        for name, array in arrays.items():
            _, number, rest = name.split(".", 2)
            own[int(number)][rest] = array
        members = [Model.assemble(*both) for both in zip(given, own, strict=True)]
        if any(member.target != members[0].target for member in members):
            raise RunError("the members have different targets")
    return Committee(members)
