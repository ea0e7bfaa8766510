"""One change of a recipe, and several in a row: what a repair tries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from surefoot.doctor.finding import Remedy
from surefoot.recipe import Recipe


@dataclass(frozen=True)
class About:
    """What a remedy may know beside the recipe.

    Attributes:
        kind: of the target: "classes", "labels" or "numbers".
        validated: whether the recipe has validation rows.
        rows: how many training rows there are.
        far: whether some inputs lie far out.
    """

    kind: str
    validated: bool
    rows: int
    far: bool = False


# Asked again for each recipe that it is applied to: an edit of the layers fits the layers as they
# are then. None where there is nothing to change.
Propose = Callable[[Recipe, About], Remedy | None]


@dataclass(frozen=True)
class Step:
    """A change by name.

    Attributes:
        name: tells it from others.
        propose: returns the edit for a recipe.
    """

    name: str
    propose: Propose


@dataclass(frozen=True)
class Candidate:
    """A recipe with some changes applied.

    Attributes:
        recipe: with all of them.
        steps: those that changed something, in order.
        texts: of each, what was changed.
    """

    recipe: Recipe
    steps: tuple[Step, ...]
    texts: tuple[str, ...]


def applied(base: Recipe, steps: Sequence[Step], about: About) -> Candidate:
    """Apply changes one after the other; leave out those that have nothing to change.

    Raises:
        RecipeError: an edit does not fit the recipe.

    >>> from surefoot.repair.remedies.registry import REMEDIES
    >>> recipe = Recipe.parse({"net": {"layers": [{"dense": 2}]}})
    >>> steps = [REMEDIES["rate-down"], REMEDIES["inputs"]]
    >>> applied(recipe, steps, About("classes", True, 100)).texts
    ('a tenth of the rate',)
    """
    recipe, kept, texts = base, [], []
    for step in steps:
        remedy = step.propose(recipe, about)
        changed = recipe if remedy is None else remedy.apply(recipe)
        if remedy is not None and changed != recipe:
            recipe = changed
            kept.append(step)
            texts.append(remedy.text)
    return Candidate(recipe, tuple(kept), tuple(texts))


def stated(remedy: Remedy, base: Recipe) -> Step:
    """Return a finding's own remedy as a step.

    Its layers are those of the recipe that was diagnosed; where others were changed before, it
    has nothing to say.
    """

    def propose(recipe: Recipe, about: About) -> Remedy | None:
        stale = "net.layers" in remedy.edits and recipe.net.layers != base.net.layers
        return None if stale else remedy

    return Step(remedy.text, propose)
