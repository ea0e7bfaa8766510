"""Cross-entropy or squared error?"""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.data.dataset import Dataset
from surefoot.errors import RecipeError
from surefoot.recipe import Recipe
from surefoot.study.ready.layers import hidden_and_output, layers_of
from surefoot.study.ready.outcomes import Outcome, rates_that_train, training, validation
from surefoot.study.ready.question import Arm, Question
from surefoot.study.ready.telling import rates_remark
from surefoot.study.space import logspace

_LOSSES = {"cross-entropy": "cross_entropy", "squared error": "mean_squared_error"}
# Of the output layer. The bad one is sure of itself, and wrong: of each row softmax gives nearly
# everything to one class, where the slope of the squared error through it is nearly 0.
_STARTS = {"usual start": {}, "bad start": {"initializer": {"name": "normal", "stddev": 5.0}}}


def _arms(recipe: Recipe, dataset: Dataset) -> Sequence[Arm]:
    if dataset.target.kind != "classes":
        raise RecipeError(
            "the study 'loss' compares losses of classes, and the targets are numbers or several "
            "labels; give data with a class for each row"
        )
    hidden, _ = hidden_and_output(layers_of(recipe))
    return [
        Arm(
            f"{loss} ({start})",
            {"loss": loss, "start": start},
            {
                "net.layers": [
                    *hidden,
                    {"dense": "classes", **output},
                    {"activation": "softmax"},
                ],
                "train.loss": name,
                "train.from_logits": False,
            },
            f"cross-entropy ({start})" if name != "cross_entropy" else None,
        )
        for start, output in _STARTS.items()
        for loss, name in _LOSSES.items()
    ]


def _outcomes(measure: str) -> Sequence[Outcome]:
    return validation(measure), training(measure), rates_that_train(measure)


LOSS = Question(
    "loss",
    "Is cross-entropy easier to train than squared error on a softmax, also from a bad start?",
    _arms,
    _outcomes,
    keys={"optimizer": "sgd"},
    # The squared error of shares is small, and so are its gradients.
    rates=tuple(float(f"{rate:.2g}") for rate in logspace(-3, 1.5, 10)),
    varies=("train.loss", "train.from_logits", "net.layers"),
    remarks=rates_remark,
)
