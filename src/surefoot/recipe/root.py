"""A recipe: everything about one training run, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError

from surefoot.errors import RecipeError
from surefoot.recipe.average import Average
from surefoot.recipe.checkpoints import Checkpoints
from surefoot.recipe.data import Data
from surefoot.recipe.devices import Devices
from surefoot.recipe.evolution import Evolution
from surefoot.recipe.layers import Net
from surefoot.recipe.messages import one_line, too_deep
from surefoot.recipe.optimizer import Adam, Optimizer
from surefoot.recipe.pretrain import PretrainSection
from surefoot.recipe.schedule import Constant, Schedule
from surefoot.recipe.section import LANE_NUMBER, Section, Seed
from surefoot.recipe.train import Train, Vitals
from surefoot.recipe.transfer import Transfer

# Keys of the data that say nothing about a built-in set or about arrays: not written unless set.
_FOR_FILES = ("columns", "categories", "split", "pictures", "augment")


class Recipe(Section):
    """One training run as data: frozen, validated, TOML in and out.

    A recipe can express a bad idea: a softmax over one unit, weights that are all zero, a rate
    of 100. Only the impossible is refused.

    >>> recipe = Recipe.parse({"net": {"layers": [{"dense": "classes"}]}, "seed": 3})
    >>> recipe.optimizer.name, recipe.train.batch_size, recipe.seed
    ('adam', 32, 3)
    """

    seed: Annotated[Seed, LANE_NUMBER] = Field(
        0, description="of the first weights, the order of batches and dropout"
    )
    data: Data = Field(Data(), description="what to learn from")
    net: Net = Field(description="the network")
    optimizer: Optimizer = Field(Adam(), description="the update rule: a table, or its name")
    schedule: Schedule = Field(
        Constant(), description="how the learning rate changes: a table, or its name"
    )
    train: Train = Field(Train(), description="how to train")
    evolution: Evolution = Field(Evolution(), description="how to train without gradients")
    average: Average | None = Field(
        None,
        description="which mean of the weights the run leaves behind: a table, or its name; "
        "default: none, the last weights",
    )
    pretrain: PretrainSection | None = Field(
        None,
        description="how dense layers learn before training, without labels: a table, or the "
        "method's name; default: not at all",
    )
    transfer: Transfer | None = Field(
        None, description="another run's layers to begin with, and what is frozen; default: none"
    )
    devices: Devices = Field(Devices(), description="over how many devices it is spread")
    vitals: Vitals = Field(Vitals(), description="what is recorded about each layer")
    checkpoints: Checkpoints = Field(
        Checkpoints(), description="what is kept to go on from when it was stopped"
    )

    @classmethod
    def parse(cls, values: Mapping[str, Any], where: str = "recipe") -> Recipe:
        """Build a recipe from a table of tables.

        Args:
            values: the sections, as TOML gives them.
            where: what to call the source in an error, such as the file's name.

        Raises:
            RecipeError: an unknown key, a wrong type, a value out of bounds; one line.
        """
        deep = too_deep(values)
        if deep is not None:
            raise RecipeError(
                f"{where}: {deep}: holds tables deeper than can be worked with; "
                "use repeat for many layers in a row"
            )
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise one_line(error, where) from None

    def to_dict(self) -> dict[str, Any]:
        """Return the tables that `parse` reads back into an equal recipe."""
        values = self.model_dump(mode="json", exclude_none=True)
        # A layer is read by people: what it leaves at its default stays unwritten.
        values["net"] = self.net.model_dump(mode="json", exclude_defaults=True)
        values["net"]["initializer"] = self.net.model_dump(mode="json")["initializer"]
        for key in _FOR_FILES:
            if getattr(self.data, key) == Data.model_fields[key].default:
                values["data"].pop(key, None)
        if self.train.method == "gradient":
            del values["train"]["method"]
            if self.evolution == Evolution():
                del values["evolution"]
        if self.devices == Devices():
            del values["devices"]
        for key in ("optimizer", "schedule", "average"):
            if key in values:
                values[key] = {"name": values[key].pop("name"), **values[key]}
        return values
