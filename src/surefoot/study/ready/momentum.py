"""What does momentum do in a ravine?"""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.data.dataset import Dataset
from surefoot.recipe import Recipe
from surefoot.study.ready.found import Found
from surefoot.study.ready.outcomes import Outcome, steps_to_reach
from surefoot.study.ready.question import Arm, Question
from surefoot.study.space import logspace

_BETAS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99)
# Of a ravine whose best rate lies just below the one that diverges.
_RATES = tuple(float(f"{rate:.2g}") for rate in logspace(-3, 1, 17))


def _name(beta: float) -> str:
    return f"momentum {beta:g}" if beta else "no momentum"


def _arms(recipe: Recipe, dataset: Dataset) -> Sequence[Arm]:
    return [
        Arm(
            _name(beta),
            {"momentum": beta},
            {"optimizer": "momentum", "optimizer.momentum": beta},
            against=None if beta == 0 else _name(0.0),
        )
        for beta in _BETAS
    ]


def _outcomes(measure: str) -> Sequence[Outcome]:
    return (steps_to_reach(),)


def _remarks(found: Found) -> list[str]:
    steps = found.compared[0]
    none = found.named(_name(0.0))
    better = [arm for arm, verdict in enumerate(steps.verdict) if verdict == "better"]
    if not better:
        return ["No momentum was shown to shorten the way."]
    # Not the best of all: with few seeds the difference of another may be clearer.
    best = min(better, key=steps.mean.__getitem__)
    ratio = steps.mean[none] / max(steps.mean[best], 1)
    return [
        f"{found.arms[best].name} gets there in {steps.mean[best]:.0f} updates, {ratio:.1f} times "
        f"as fast as without momentum ({steps.mean[none]:.0f}), each at its own best rate."
    ]


MOMENTUM = Question(
    "momentum",
    "How much sooner does momentum get to the end of a ravine than plain descent?",
    _arms,
    _outcomes,
    # Ten measurements that go together make a linear model's error surface a ravine: its
    # curvatures differ by a factor of 470, with standardized inputs. There is no noise of batches.
    source="diabetes",
    net="mlp:",
    keys={"batch_size": "full", "data.standardize_targets": True},
    updates=1000,
    rates=_RATES,
    varies=("optimizer",),
    remarks=_remarks,
)
