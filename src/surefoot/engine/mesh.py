"""The devices of a training: one mesh with the axes `lane` and `batch`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as Spec

from surefoot.backend import LEAST_ROWS
from surefoot.engine.cohort import Cohort
from surefoot.errors import RecipeError

LANE, BATCH = "lane", "batch"


@dataclass(frozen=True)
class Layout:
    """How lanes and batches lie on devices.

    Lanes are split among the devices along `lane`: each runs the program of its own lanes, and no
    number passes between them. The rows of each batch are split along `batch`: weights are copied
    there, and gradients, batch statistics and vital signs are those of the whole batch, summed by
    XLA's collectives.

    Attributes:
        mesh: of the devices; None for a single one, which compiles what it would without a mesh.
    """

    mesh: Mesh | None = None

    @property
    def lanes(self) -> int:
        """Devices along `lane`."""
        return 1 if self.mesh is None else self.mesh.shape[LANE]

    @property
    def batch(self) -> int:
        """Devices along `batch`."""
        return 1 if self.mesh is None else self.mesh.shape[BATCH]

    def place(self, tree: Any) -> Any:
        """Put arrays that have all lanes first on the devices, each lane on its own."""
        if self.mesh is None:
            return jax.device_put(tree)
        return jax.tree.map(partial(_placed, NamedSharding(self.mesh, Spec(LANE))), tree)

    def described(self, tree: Any) -> Any:
        """Return the shapes and types that arrays would have if `place` had put them there."""
        sharding = None if self.mesh is None else NamedSharding(self.mesh, Spec(LANE))
        return jax.tree.map(
            lambda array: jax.ShapeDtypeStruct(array.shape, array.dtype, sharding=sharding), tree
        )

    def everywhere(self, tree: Any) -> Any:
        """Put arrays on every device, whole."""
        if self.mesh is None:
            return jax.device_put(tree)
        return jax.tree.map(partial(_placed, NamedSharding(self.mesh, Spec())), tree)

    def fetch(self, tree: Any) -> Any:
        """Return arrays as NumPy's, also where parts of them lie on devices of other processes.

        All processes have to ask for the same.
        """

        def whole(array: Any) -> Any:
            if getattr(array, "is_fully_addressable", True) or array.is_fully_replicated:
                return np.asarray(array)
            return multihost_utils.process_allgather(array, tiled=True)

        return jax.tree.map(whole, tree)

    # Within a compiled function.

    def rows(self, tree: Any, axis: int = 0) -> Any:
        """Split the rows of a batch among the devices of `batch`."""
        if self.batch == 1:
            return tree
        return self._constrained(tree, Spec(*[None] * axis, BATCH))

    def same(self, tree: Any) -> Any:
        """Have arrays whole on every device."""
        return tree if self.mesh is None else self._constrained(tree, Spec())

    def own(self, tree: Any) -> Any:
        """Have each lane on its own device."""
        return tree if self.mesh is None else self._constrained(tree, Spec(LANE))

    def _constrained(self, tree: Any, spec: Spec) -> Any:
        assert self.mesh is not None
        return jax.lax.with_sharding_constraint(tree, NamedSharding(self.mesh, spec))

    def over_lanes(
        self, function: Callable[..., Any], axes: tuple[Any, ...], out: Any
    ) -> Callable[..., Any]:
        """Have each device along `lane` run a function with its own lanes.

        Args:
            function: of arrays of some lanes.
            axes: where each argument has the lanes, or a tree of that; None: it is the same for
                all.
            out: the same of each result.
        """
        if self.lanes == 1:
            return function
        return jax.shard_map(
            function,
            mesh=self.mesh,
            in_specs=_specs(axes),
            out_specs=_specs(out),
            axis_names={LANE},  # rows stay XLA's to split
            check_vma=False,
        )


SINGLE = Layout()


def _specs(axes: Any) -> Any:
    return jax.tree.map(_spec, axes, is_leaf=lambda axis: axis is None)


def _spec(axis: int | None) -> Spec:
    return Spec() if axis is None else Spec(*[None] * axis, LANE)


def _placed(sharding: NamedSharding, array: Any) -> jax.Array:
    """Put an array on the devices of this process that hold a part of it."""
    whole = np.asarray(array)
    return jax.make_array_from_callback(whole.shape, sharding, lambda part: whole[part])


def layout_for(cohort: Cohort, width: int | None = None) -> Layout:
    """Return how a cohort lies on the devices: as its recipe says, or as suits it.

    By itself a cohort takes as many devices for its lanes as there are groups of lanes, and a
    single run those that are left for its batches, where these leave each device rows enough. The
    devices of several processes have to take part all: those that a study has no lanes for train
    copies.

    Args:
        cohort: what is to be trained.
        width: how many lanes a device trains at once, where that is fixed.

    Raises:
        RecipeError: the recipe asks for more devices than there are, or for a number that does not
            divide the batch; or not all processes would take part.
    """
    devices = jax.devices()
    asked = cohort.recipes[0].devices
    useful, single = -(-cohort.lanes // (width or 1)), width is None and cohort.lanes == 1
    if jax.process_count() > 1 and not (single or asked.batch):
        useful = len(devices)
    lanes = min(asked.lanes or (1 if asked.batch else len(devices)), useful)
    if lanes > len(devices):
        raise RecipeError(
            f"devices.lanes = {asked.lanes}: there {_are(len(devices))}; set it to {len(devices)} "
            "or less, or leave it out"
        )
    batch = asked.batch or (_batch_devices(cohort, len(devices)) if single else 1)
    if lanes * batch > len(devices):
        raise RecipeError(
            f"devices.batch = {asked.batch}: {f'with {lanes} for lanes, ' if lanes > 1 else ''}"
            f"there {_are(len(devices))}; set it to {len(devices) // lanes} or less, or leave it "
            "out"
        )
    if cohort.batch % batch:
        raise RecipeError(
            f"devices.batch = {batch}: a batch of {cohort.batch} rows does not divide into so many "
            "equal parts; set train.batch_size to a multiple of it"
        )
    if jax.process_count() > 1 and lanes * batch != len(devices):
        raise RecipeError(
            f"devices: {lanes} × {batch} of the {len(devices)} devices of {jax.process_count()} "
            f"processes would have work, and all have to; set train.batch_size to a multiple of "
            f"{len(devices)}, or start fewer processes"
        )
    if lanes * batch == 1:
        return Layout()
    chosen = np.array(devices[: lanes * batch]).reshape(lanes, batch)
    return Layout(Mesh(chosen, (LANE, BATCH)))


def _batch_devices(cohort: Cohort, free: int) -> int:
    """Return the most devices that divide a batch and have rows enough."""
    least = 1 if jax.process_count() > 1 else LEAST_ROWS
    most = min(free, cohort.batch // least)
    return max((n for n in range(1, most + 1) if cohort.batch % n == 0), default=1)


def _are(count: int) -> str:
    return "is 1 device" if count == 1 else f"are {count} devices"
