"""How a study will be computed: which runs are lanes of which program, and what that takes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from math import ceil, prod

import jax

from surefoot.backend import available_cores
from surefoot.data.dataset import Dataset
from surefoot.data.memory import free_bytes
from surefoot.engine.agreement import once
from surefoot.engine.cohort import Cohort
from surefoot.engine.cost import estimated_seconds
from surefoot.engine.width import group_width, shares_batches
from surefoot.errors import RecipeError, SurefootError
from surefoot.job import reading
from surefoot.nn.network import Network
from surefoot.recipe import Recipe
from surefoot.study.space import Setting

# What is finished is kept after each part, so that parts of long runs have fewer lanes: those that
# keep all cores busy, and more where that takes no longer than this. More are no faster.
_MOST_LANES, _PART_SECONDS = 128, 60.0
# Weights, gradients, update, two averages of Adam, and what the step writes before it is read.
_WEIGHT_COPIES = 8
# Of each layer's output: the output, its derivative, and the backward signal.
_OUTPUT_COPIES = 3
_SHARE_OF_MEMORY = 0.5
# For an estimate alone, on two cores; what is said while a study runs is measured.
_COMPILE_SECONDS = 2.5
LONG_SECONDS = 3600.0
FOR_LESS = "for less give fewer values, draws, seeds or epochs"


@dataclass(frozen=True)
class Lane:
    """One run of a study.

    Attributes:
        setting: the number of its setting.
        seed: its seed.
        recipe: with both, and without vital signs, which a study does not keep.
    """

    setting: int
    seed: int
    recipe: Recipe


@dataclass(frozen=True)
class Group:
    """Runs of one structure: one program, used for one part of its lanes after the other.

    Attributes:
        lanes: its runs.
        dataset: their rows.
        size: how many of them are trained together; the last part may be smaller.
        width: how many lanes the program has. Each part is dealt out to as many of them as it
            takes.
        shared: whether lanes share their batches, which takes one seed for all runs of the study.
        steps: of each run.
        lane_seconds: what a lane's training may take, an estimate.
        lane_bytes: what a lane takes of memory, an estimate.
        program: what their programs follow from, beside their width.
    """

    lanes: tuple[Lane, ...]
    dataset: Dataset
    size: int
    width: int
    shared: bool
    steps: int
    lane_seconds: float
    lane_bytes: int
    program: Hashable

    @property
    def parts(self) -> list[tuple[Lane, ...]]:
        """The lanes that are trained together, part by part."""
        return [
            self.lanes[first : first + self.size] for first in range(0, len(self.lanes), self.size)
        ]

    @property
    def key(self) -> Hashable:
        """Equal for groups that share their compiled programs."""
        return self.program, self.width, self.shared

    def seconds(self, lanes: int) -> float:
        """Return what training some lanes may take, an estimate: programs are always full."""
        return ceil(lanes / self.width) * self.width * self.lane_seconds


@dataclass(frozen=True)
class Plan:
    """What a study is going to do.

    Attributes:
        groups: of runs, a program each.
        measure: what is measured beside the loss, "accuracy" or "rmse".
        share: of all steps, those that are taken where settings are dropped on the way.
    """

    groups: tuple[Group, ...]
    measure: str
    share: float = 1.0

    @property
    def runs(self) -> int:
        """How many runs are to be trained."""
        return sum(len(group.lanes) for group in self.groups)

    @property
    def programs(self) -> int:
        """How many programs are to be compiled."""
        return len({group.key for group in self.groups})

    @property
    def seconds(self) -> float:
        """How long it may take, a rough estimate."""
        return self.training_seconds + _COMPILE_SECONDS * self.programs

    @property
    def training_seconds(self) -> float:
        """How long it may take without compilation."""
        each = (group.seconds(len(part)) for group in self.groups for part in group.parts)
        return self.share * sum(each)

    @property
    def bytes(self) -> int:
        """How much memory the runs that are trained together may take."""
        each = [group.size * group.lane_bytes for group in self.groups]
        return max(each, default=0) if self.share == 1 else sum(each)

    @property
    def text(self) -> str:
        """What is said before the start."""
        if not self.groups:
            return "all runs are finished"
        sizes = {group.width for group in self.groups}
        lanes = f"{min(sizes)} to {max(sizes)}" if len(sizes) > 1 else f"{max(sizes)}"
        line = (
            f"{_count(self.runs, 'run')} as {_count(self.programs, 'compiled program')} of "
            f"{lanes} lane{'' if sizes == {1} else 's'}; about {duration(self.seconds)} and "
            f"{self.bytes / 1e9:.1g} GB"
        )
        if self.seconds > LONG_SECONDS:
            line += f"; {FOR_LESS}"
        return line


def duration(seconds: float) -> str:
    """Return a length of time as people read it.

    >>> duration(42.3), duration(600), duration(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def make_plan(
    settings: Sequence[Setting],
    seeds: Sequence[int],
    load: Callable[[Recipe], Dataset],
    *,
    done: Collection[tuple[int, int]] = (),
    most_lanes: int | None = None,
    memory: int | None = None,
    share: float = 1.0,
) -> Plan:
    """Sort the runs of a study into groups that are one program each.

    Runs of a group have the same structure, epochs, class weights and rows; they differ in
    numbers, initializers, seeds and when they stop early. As many are trained together as half of
    the free memory holds, and at most 128, or fewer where these take more than a minute; where
    settings are dropped on the way, all of them.

    Args:
        settings: what is compared.
        seeds: of each setting.
        load: from a recipe to its rows.
        done: numbers of settings with seeds that need not be trained again.
        most_lanes: how many are trained together at most, where not as many as above.
        memory: how many bytes there are; half of the free ones where nothing is given.
        share: of all steps, those that are taken where settings are dropped on the way.

    Raises:
        RecipeError: a setting's net does not fit the data, or runs do not fit in memory: a single
            one, or all of them where settings are dropped on the way.
        DataError: a setting's rows cannot be read, or are fewer than a batch.
    """
    room = int(once(free_bytes) * _SHARE_OF_MEMORY) if memory is None else memory
    collected: dict[Hashable, tuple[Cohort, list[Lane]]] = {}
    measures: dict[str, str] = {}
    # Those that are finished count as well: a study that goes on needs the same programs.
    orders = {setting.recipe.data.shuffle_seed for setting in settings}
    one_order = len(orders) == 1 and (None not in orders or len(seeds) == 1)
    for number, setting in enumerate(settings):
        lanes = [lane_of(setting, number, seed) for seed in seeds]
        key, cohort = _key(setting, lanes[0].recipe, load)
        measures.setdefault(cohort.measure, setting.label)
        for lane in lanes:
            if (number, lane.seed) not in done:
                # A stream gives all of its lanes the same batches.
                own = (key, lane.seed if cohort.dataset.stream is not None else None)
                collected.setdefault(own, (cohort, []))[1].append(lane)
    if len(measures) > 1:
        told = " and ".join(f"{label} by {measure}" for measure, label in measures.items())
        raise RecipeError(f"vary: settings cannot be compared that are measured otherwise: {told}")
    groups = tuple(
        _group(cohort, lanes, room, len(lanes) if share < 1 else most_lanes, settings, one_order)
        for cohort, lanes in collected.values()
    )
    plan = Plan(groups, next(iter(measures), "accuracy"), share)
    if plan.bytes > room and share < 1:
        raise RecipeError(
            f"halving: all runs are trained side by side, which needs about {plan.bytes / 1e9:.3g} "
            f"GB, and {room / 1e9:.3g} GB are there for it; give fewer values, draws or seeds, or "
            "leave halving out"
        )
    return plan


def lane_of(setting: Setting, number: int, seed: int) -> Lane:
    """Return the run of a setting with a seed."""
    recipe = setting.recipe
    vitals = recipe.vitals.model_copy(update={"every": 0, "first": 0})
    return Lane(number, seed, recipe.model_copy(update={"seed": seed, "vitals": vitals}))


def _key(
    setting: Setting, recipe: Recipe, load: Callable[[Recipe], Dataset]
) -> tuple[Hashable, Cohort]:
    """Return what runs of one group have in common, and a cohort of the first of them."""
    try:
        cohort = Cohort([recipe], load(recipe))
    except SurefootError as error:
        kind = type(error)
        raise kind(f"{setting.label}: {error}") from None
    train = recipe.train
    shared = cohort.blueprint.key, train.epochs, train.class_weight, reading(recipe)
    return shared, cohort


def _group(
    cohort: Cohort,
    lanes: list[Lane],
    room: int,
    most_lanes: int | None,
    settings: Sequence[Setting],
    one_order: bool,
) -> Group:
    lane_bytes = _bytes(cohort)
    fitting = room // lane_bytes
    if fitting < 1:
        raise RecipeError(
            f"{settings[lanes[0].setting].label}: a single run needs about {lane_bytes / 1e9:.3g} "
            f"GB and {room / 1e9:.3g} GB are there for it; make its layers or batches smaller"
        )
    # By the rule of `group_width` that many lanes take a few megabytes.
    width = min(group_width(cohort), 1 << (fitting.bit_length() - 1))
    seconds = estimated_seconds(cohort)
    busy = max(once(available_cores), jax.device_count()) * width
    if most_lanes is None:
        most_lanes = min(_MOST_LANES, max(busy, int(_PART_SECONDS / seconds)))
    most = min(fitting, most_lanes)
    return Group(
        tuple(lanes),
        cohort.dataset,
        lanes_for(len(lanes), most, busy if busy <= most else width),
        width,
        one_order and shares_batches(width),
        cohort.total_steps,
        seconds,
        lane_bytes,
        (cohort.blueprint.key, reading(cohort.recipes[0])),
    )


def lanes_for(runs: int, most: int, unit: int) -> int:
    """Return how many of so many runs are trained together: equal parts, whole units of lanes.

    Args:
        runs: all of them.
        most: how many may be trained together.
        unit: the lanes of a program, or of one for each core.

    >>> lanes_for(1, 128, 8), lanes_for(130, 128, 8), lanes_for(10, 5, 8)
    (1, 72, 5)
    """
    unit = unit if unit <= most else 1
    units = ceil(runs / unit)
    parts = ceil(units / (most // unit))
    return min(runs, ceil(units / parts) * unit)


def _bytes(cohort: Cohort) -> int:
    """Return about how many bytes a lane takes: weights, a batch's outputs, and its order."""
    network = cohort.blueprint.network
    weights = sum(site.weights for site in network.sites)
    # A convolution is a matrix product over patches, which are written out.
    patches = sum(_patches(network))
    outputs = sum(prod(site.shape) for site in network.sites)
    numbers = prod(network.input_shape) + _OUTPUT_COPIES * (outputs + patches)
    order = 4 * cohort.batch * min(cohort.steps_per_epoch, 512)
    size = cohort.precision.itemsize
    return size * (_WEIGHT_COPIES * weights + cohort.batch * numbers) + order


def _patches(network: Network) -> list[int]:
    return [
        prod(site.shape[:-1]) * site.weights // site.shape[-1]
        for site in network.sites
        if site.kind == "conv"
    ]
