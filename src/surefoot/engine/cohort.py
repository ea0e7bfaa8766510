"""A cohort: runs of the same structure, trained as one program, a lane each."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from optax import GradientTransformation

from surefoot.data.dataset import Dataset
from surefoot.engine.blueprint import Blueprint
from surefoot.engine.effort import Effort
from surefoot.engine.order import epoch_order
from surefoot.engine.rates import factors_of
from surefoot.engine.starting import check_start
from surefoot.errors import DataError, RecipeError
from surefoot.recipe import Recipe

# Weights, gradients, update, and the two averages of Adam.
_COPIES = 5
# Of a population: itself, two parents of each child, the child, and its changes.
_POPULATIONS = 5
# Steps are counted in 32 bits.
_MOST_STEPS = 2**31 - 1


class Cohort:
    """Runs that differ in numbers alone: one program, `jax.vmap` over lanes.

    One run is a cohort of one lane. All lanes train on the same rows; lanes with the same
    shuffle seed see the same batches in the same order.

    Attributes:
        effort: how hard the compiler tries with its programs; may be set until they are compiled.
        compile_seconds: how long compilation took.
    """

    def __init__(
        self,
        recipes: Sequence[Recipe],
        dataset: Dataset,
        transformation: GradientTransformation | None = None,
        *,
        share_batches: bool = True,
    ) -> None:
        """Check the recipes against the data and against each other; compile nothing yet.

        Args:
            recipes: one for each lane, of one structure, for the same data and epochs.
            dataset: what `surefoot.data.load` made for them.
            transformation: an Optax transformation in place of the recipes' update rule.
            share_batches: whether lanes whose batches are equal are given them once, another
                program. A stream's always are.

        Raises:
            RecipeError: the net does not fit the data, or the recipes are not one cohort.
            DataError: there are fewer rows than a batch needs.
        """
        self.recipes = tuple(recipes)
        self.dataset = dataset
        first = self.recipes[0]
        blueprints = [
            Blueprint.of(
                recipe,
                dataset.feature_shape,
                dataset.target,
                transformation,
                pictures=dataset.scaled_in_step,
            )
            for recipe in self.recipes
        ]
        shared = [
            (b.key, r.train.epochs, r.vitals) for b, r in zip(blueprints, recipes, strict=True)
        ]
        if any(entry != shared[0] for entry in shared):
            raise RecipeError(
                "these recipes are not one cohort: they differ in structure, epochs or vitals"
            )
        self.blueprint = blueprints[0]
        # Lanes may differ in initializers, which only their own nets know.
        self.networks = tuple(blueprint.network for blueprint in blueprints)
        self.effort = Effort.FULL
        self.compile_seconds = 0.0
        self.rows = dataset.rows
        self.batch = self.rows if first.train.batch_size == "full" else first.train.batch_size
        self._shuffle_seeds = [
            r.seed if r.data.shuffle_seed is None else r.data.shuffle_seed for r in self.recipes
        ]
        share_batches |= dataset.stream is not None
        self.shared = share_batches and len(set(self._shuffle_seeds)) == 1
        self._check()
        self.steps_per_epoch = -(-self.rows // self.batch)
        if self.total_steps > _MOST_STEPS:
            raise RecipeError(
                f"train.epochs = {first.train.epochs}: are {self.total_steps:,} steps of "
                f"{self.batch} rows and there can be {_MOST_STEPS:,}; set it to "
                f"{_MOST_STEPS // self.steps_per_epoch} or less"
            )
        # What multiplies the updates of each layer, of all lanes; None where no recipe says it.
        self.factors = factors_of(self.recipes, self.networks, self.steps_per_epoch)
        if self.factors is not None and first.train.method != "gradient":
            raise RecipeError(
                f"transfer: train.method = {first.train.method!r} changes all weights alike; leave "
                "freeze and rates out"
            )
        check_start(self)

    @property
    def total_steps(self) -> int:
        """How many steps each lane takes if nothing stops it."""
        return self.steps_per_epoch * self.recipes[0].train.epochs

    @property
    def measure(self) -> str:
        """What is measured beside the loss: "accuracy" or "rmse"."""
        return "rmse" if self.blueprint.objective.measure == "rmse" else "accuracy"

    @property
    def precision(self) -> np.dtype:
        """The type of all arithmetic."""
        return np.dtype(self.recipes[0].train.dtype)

    @property
    def lanes(self) -> int:
        """How many runs are trained together."""
        return len(self.recipes)

    @property
    def shuffle_seed(self) -> int:
        """The seed of the order of batches, where all lanes share it."""
        return self._shuffle_seeds[0]

    def order(self, epoch: int) -> NDArray[np.int32]:
        """Return the rows of an epoch's batches: [steps, batch], or [lanes, steps, batch].

        Of rows in memory alone; a stream has an order of its own.
        """
        orders = {
            seed: epoch_order(seed, epoch, self.rows, self.batch)
            for seed in set(self._shuffle_seeds)
        }
        if self.shared:
            return orders[self.shuffle_seed]
        return np.stack([orders[seed] for seed in self._shuffle_seeds])

    def _check(self) -> None:
        network = self.blueprint.network
        if self.batch > self.rows:
            raise DataError(
                f"train.batch_size = {self.batch} is more than the {self.rows} training rows; "
                f'set it to {self.rows} or less, or to "full"'
            )
        if self.batch == 1:
            for site in network.sites:
                if site.kind == "batch_norm":
                    raise RecipeError(
                        f"layer {site.name} (batch_norm): a batch of one example has no variance; "
                        "set train.batch_size to 2 or more"
                    )
        if self.dataset.stream is not None:
            self._check_stream()
        self._check_memory()
        for recipe in self.recipes:
            self._check_monitor(recipe)

    def _check_stream(self) -> None:
        if not self.shared:
            raise RecipeError(
                "data.shuffle_seed: rows are read in a stream, which gives all lanes the same "
                "batches; give all recipes the same shuffle_seed, or set data.stream = false"
            )
        if self.recipes[0].train.batch_size == "full":
            raise RecipeError(
                'train.batch_size = "full": rows are read in a stream, and are never in memory '
                "all at once; set it to a number"
            )

    def _check_memory(self) -> None:
        """Refuse weights that this machine cannot hold, before any is drawn."""
        weights = sum(site.weights for site in self.blueprint.network.sites)
        size = self.precision.itemsize
        first = self.recipes[0]
        evolves = first.train.method != "gradient"
        copies = _COPIES + evolves * _POPULATIONS * first.evolution.population
        need = weights * size * self.lanes * copies
        have = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        if need > have:
            raise RecipeError(
                f"net: {weights:,} weights ({self.lanes} lane{'s' if self.lanes > 1 else ''}) need "
                f"about {need / 1e9:,.0f} GB to train and this machine has {have / 1e9:,.0f} GB; "
                f"make the layers{' or evolution.population' * evolves} smaller"
            )

    def _check_monitor(self, recipe: Recipe) -> None:
        monitors = [getattr(recipe.schedule, "monitor", None)]
        if recipe.train.early_stopping is not None:
            monitors.append(recipe.train.early_stopping.monitor)
        for monitor in filter(None, monitors):
            if monitor.startswith("validation") and self.dataset.x_val is None:
                raise RecipeError(
                    f"monitor = {monitor!r}: there are no validation rows; set data.validation "
                    "above 0 or monitor 'train_loss'"
                )
            if not monitor.endswith(("loss", self.measure)):
                raise RecipeError(
                    f"monitor = {monitor!r}: this target is measured by loss and {self.measure}"
                )
