"""The same recipe with many seeds, trained side by side: an ensemble's usual members."""

from __future__ import annotations

from collections.abc import Callable

from surefoot.data import Dataset
from surefoot.engine.cohort import Cohort
from surefoot.engine.events import Block, Silent
from surefoot.engine.model import Model
from surefoot.engine.result import LaneResult
from surefoot.engine.training import train
from surefoot.ensemble.members import Member
from surefoot.errors import TrainingError
from surefoot.job import Job
from surefoot.pretrain.start import announced
from surefoot.recipe import Recipe

_SEEDS = 2**32


class Heard(Silent):
    """Tells of each dispatch."""

    def __init__(self, progress: Callable[[Block], None]) -> None:
        self._progress = progress

    def block(self, block: Block) -> None:
        """Tell of it."""
        self._progress(block)


def with_seed(recipe: Recipe, seed: int, dataset: Dataset) -> Recipe:
    """Return a recipe with another seed, its own order of batches, and no vital signs.

    A stream gives all lanes the same batches: there the order stays.
    """
    order = recipe.seed if recipe.data.shuffle_seed is None else recipe.data.shuffle_seed
    own = order if dataset.stream is not None else None
    return recipe.model_copy(
        update={
            "seed": seed % _SEEDS,
            "data": recipe.data.model_copy(update={"shuffle_seed": own}),
            "vitals": recipe.vitals.model_copy(update={"every": 0, "first": 0}),
        }
    )


def train_seeds(
    job: Job,
    count: int,
    progress: Callable[[Block], None] = lambda block: None,
    tell: Callable[[str], None] = lambda line: None,
) -> tuple[list[Member], Cohort]:
    """Train a recipe with so many seeds as lanes of one cohort; return the nets that came out.

    Each has first weights, an order of batches and a dropout of its own. Those that diverged are
    left out, and said.

    Args:
        job: the recipe, whose seed is the first one, and its rows.
        count: how many.
        progress: called after each dispatch.
        tell: called with a line about what is left out.

    Raises:
        TrainingError: all of them diverged.
    """
    dataset = job.dataset
    first = job.recipe.seed
    recipes = [with_seed(job.recipe, first + number, dataset) for number in range(count)]
    cohort = Cohort(recipes, dataset, job.cohort.blueprint.transformation)
    announced(cohort, tell)
    results = train(cohort, Heard(progress))
    members = []
    for recipe, result in zip(recipes, results, strict=True):
        if result.diverged is not None:
            tell(f"seed {recipe.seed} diverged at step {result.diverged}, and is left out")
            continue
        members.append(member_of(recipe, result, dataset))
    if not members:
        raise TrainingError(
            "all members diverged; train with a lower learning rate, or ask `surefoot diagnose`"
        )
    return members, cohort


def member_of(recipe: Recipe, result: LaneResult, dataset: Dataset) -> Member:
    """Return what a lane left behind as a member."""
    values = {"member": f"seed {recipe.seed}", "seed": recipe.seed, "steps": result.steps}
    return Member(
        f"seed {recipe.seed}",
        model_of(recipe, result.params, result.state, result, dataset),
        dataset,
        values,
    )


def model_of(
    recipe: Recipe, params: object, state: object, result: LaneResult, dataset: Dataset
) -> Model:
    """Return weights that a lane went through as a model."""
    return Model(
        recipe=recipe,
        params=params,
        state=state,
        scaling=result.scaling,
        target=dataset.target,
        preprocessing=dataset.preprocessing,
        feature_shape=dataset.feature_shape,
        encoding=dataset.encoding,
    )
