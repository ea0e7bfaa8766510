"""Is deeper better?"""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.data.dataset import Dataset
from surefoot.recipe import Recipe
from surefoot.study.ready.found import Found
from surefoot.study.ready.layers import Layers, hidden_and_output, layers_of
from surefoot.study.ready.outcomes import Outcome, training, training_loss
from surefoot.study.ready.question import Arm, Question

_DEPTHS = (4, 16, 48)
_WIDTH = 32


def _plain(depth: int) -> Layers:
    return [{"repeat": depth, "layers": [{"dense": _WIDTH}, {"activation": "relu"}]}]


def _residual(depth: int) -> Layers:
    dense = {"dense": _WIDTH}
    # The last layer of a branch begins at zero, so that each block begins as the identity (Goyal
    # and others 2017, section 5.1); else the sum over blocks grows with depth.
    branch = [dense, {"activation": "relu"}, {**dense, "initializer": "zeros"}]
    return [{"repeat": depth // 2, "layers": [{"residual": branch}, {"activation": "relu"}]}]


def _name(depth: int, residual: bool) -> str:
    return f"{depth} {'residual' if residual else 'plain'} layers"


def _arms(recipe: Recipe, dataset: Dataset) -> Sequence[Arm]:
    hidden, output = hidden_and_output(layers_of(recipe))
    arms = []
    for depth in _DEPTHS:
        for residual in (False, True):
            body = _residual(depth) if residual else _plain(depth)
            shallow = _name(_DEPTHS[0], residual=False)
            against = None if depth == _DEPTHS[0] else shallow
            arms.append(
                Arm(
                    _name(depth, residual),
                    {"depth": depth, "residual": "yes" if residual else "no"},
                    {"net.layers": [*hidden, *body, *output]},
                    _name(depth, residual=False) if residual else against,
                )
            )
    return arms


def _outcomes(measure: str) -> Sequence[Outcome]:
    return training_loss(), training(measure)


def _remarks(found: Found) -> list[str]:
    loss = found.compared[0]
    deep, shallow = (found.named(_name(_DEPTHS[i], residual=False)) for i in (-1, 0))
    cured = found.named(_name(_DEPTHS[-1], residual=True))
    told = (
        f"Plain nets: training loss {loss.mean[shallow]:.3g} with {_DEPTHS[0]} layers and "
        f"{loss.mean[deep]:.3g} with {_DEPTHS[-1]}"
    )
    if loss.verdict[deep] != "worse":
        return [f"{told}: no degradation shown by depth."]
    told += ": the deeper net fits worse what it was trained on, which is no overfitting"
    if loss.verdict[cured] == "better":
        told += f"; with residual connections it is {loss.mean[cured]:.3g}"
    return [f"{told}."]


DEPTH = Question(
    "depth",
    "Do deeper plain nets train worse, and do residual connections cure it?",
    _arms,
    _outcomes,
    net=f"mlp:{_WIDTH}",
    keys={"optimizer": "momentum"},
    varies=("net.layers",),
    remarks=_remarks,
)
