"""One change of a recipe, and several in a row: what a repair tries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from surefoot.doctor.edits import rate_of
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
        texts: what was changed; several changes of the rate in a row are one.
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
    recipe, kept = base, []
    texts: list[str] = []
    told: _OfRate | None = None
    for step in steps:
        remedy = step.propose(recipe, about)
        changed = recipe if remedy is None else remedy.apply(recipe)
        if remedy is None or changed == recipe:
            continue
        text = remedy.text
        if set(remedy.edits) == {"optimizer.learning_rate"}:
            before, after = rate_of(recipe), rate_of(changed)
            if told is not None and told.after == before:  # to whoever reads it they are one
                texts.remove(told.text)
                before = told.before
                text = _times(after / before)
            told = _OfRate(text, before, after)
        recipe = changed
        kept.append(step)
        texts.append(text)
    return Candidate(recipe, tuple(kept), tuple(texts))


class _OfRate(NamedTuple):
    """A change of the rate alone, or several in a row."""

    text: str
    before: float
    after: float


def _times(factor: float) -> str:
    """Return what several changes of the rate come to.

    >>> _times(0.001), _times(30.0)
    ('a rate 1000 times lower', 'a rate 30 times higher')
    """
    times = float(f"{max(factor, 1 / factor):.3g}")
    return f"a rate {times:g} times {'higher' if factor > 1 else 'lower'}"


def stated(remedy: Remedy, base: Recipe) -> Step:
    """Return a finding's own remedy as a step.

    Its layers are those of the recipe that was diagnosed; where others were changed before, it
    has nothing to say.
    """

    def propose(recipe: Recipe, about: About) -> Remedy | None:
        stale = "net.layers" in remedy.edits and recipe.net.layers != base.net.layers
        return None if stale else remedy

    return Step(remedy.text, propose)
