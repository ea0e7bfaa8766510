"""What all lanes of a cohort share: the structure from which programs are compiled."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from optax import GradientTransformation

from surefoot.data.target import Target
from surefoot.engine.inputs import Inputs
from surefoot.engine.objective import Objective, outputs_for
from surefoot.errors import RecipeError
from surefoot.nn.network import Network, build
from surefoot.optim import from_optax
from surefoot.recipe import Recipe, numbers, structure

# Keys of a recipe that the compiled step does not depend on: they are read before it, or by the
# loop around it. Initializers are among them, so that lanes may differ in them.
_OUTSIDE_THE_STEP = frozenset(
    {"initializer", "bias_initializer", "epochs", "early_stopping", "class_weight"}
)


@dataclass(frozen=True)
class Blueprint:
    """The structure of a cohort; equal blueprints share their compiled programs.

    Attributes:
        key: everything that a compiled step depends on, hashable.
        recipe: one of the cohort's recipes; of it only the structure counts.
        network: the recipe's net for this data.
        objective: what is minimized.
        inputs: what happens to a batch before the first layer.
        transformation: an Optax transformation that was given as an object, or None.
    """

    key: Hashable
    recipe: Recipe = field(compare=False)
    network: Network = field(compare=False)
    objective: Objective = field(compare=False)
    inputs: Inputs = field(compare=False)
    transformation: GradientTransformation | None = field(compare=False)

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        feature_shape: tuple[int, ...],
        target: Target,
        transformation: GradientTransformation | None = None,
        pictures: bool = False,
    ) -> Blueprint:
        """Return the blueprint of a recipe for inputs and targets of these shapes.

        Args:
            recipe: the recipe.
            feature_shape: of one example, as the net takes it.
            target: what is to be predicted.
            transformation: an Optax transformation in place of the recipe's update rule.
            pictures: whether rows lie on the device as bytes and are scaled within the step.

        Raises:
            RecipeError: a layer does not fit its input, or the outputs do not fit the target.
        """
        if recipe.optimizer.name.startswith("optax."):
            from_optax(recipe.optimizer.name, dict(recipe.optimizer.options))
        low = recipe.train.precision == "bfloat16"
        network = build(recipe.net, feature_shape, target.size, low=low)
        _check_outputs(network, target)
        measure = {"classes": "accuracy", "labels": "label_accuracy", "numbers": "rmse"}
        objective = Objective(
            network, recipe.train.loss, outputs_for(recipe.train, network), measure[target.kind]
        )
        inputs = Inputs(pictures, recipe.data.augment, feature_shape)
        key = (
            _strip(structure(recipe.net)),
            structure(recipe.optimizer),
            structure(recipe.schedule),
            _strip(structure(recipe.train)),
            recipe.vitals.every > 0 or recipe.vitals.first > 0,
            inputs,
            target.size,
            target.kind,
            transformation,
            # Its mean of the weights is part of the step.
            None if recipe.average is None else structure(recipe.average),
            None if recipe.train.method == "gradient" else structure(recipe.evolution),
        )
        return cls(key, recipe, network, objective, inputs, transformation)


def _check_outputs(network: Network, target: Target) -> None:
    """Refuse a net whose outputs cannot be compared with the target."""
    have = network.output_shape[0]
    if have == target.size or (target.kind == "classes" and target.size == 2 and have == 1):
        return
    last = (network.body.layers or (network.head,))[-1]
    what = {"classes": "classes", "labels": "labels", "numbers": "numbers a row"}[target.kind]
    fits = "2, or 1 with a sigmoid" if what == "classes" and target.size == 2 else target.size
    raise RecipeError(
        f"layer {last.number} ({last.kind}): the net has {have} outputs and the target has "
        f'{target.size} {what}; set its size to "outputs", which is {fits} here'
    )


def step_numbers(recipe: Recipe) -> dict[str, Any]:
    """Return the lane numbers that the compiled step takes."""
    tree = numbers(recipe)
    names = ["net", "optimizer", "schedule", "train", "average"]
    if recipe.train.method != "gradient":
        names.append("evolution")
    chosen = {name: tree[name] for name in names if name in tree}
    return _without(chosen)


def _without(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {k: _without(v) for k, v in tree.items() if k not in _OUTSIDE_THE_STEP}
    return [_without(item) for item in tree] if isinstance(tree, list) else tree


def _strip(parts: Any) -> Any:
    """Drop the keys that the step does not depend on from a structure."""
    if not isinstance(parts, tuple):
        return parts
    return tuple(
        _strip(part)
        for part in parts
        if not (isinstance(part, tuple) and part and part[0] in _OUTSIDE_THE_STEP)
    )
