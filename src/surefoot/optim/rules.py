"""Update rules by name: the textbook's formulas, put together from Optax's parts.

A rule is built within the compiled step. Its numbers may be traced and may differ between lanes;
the shape of its memory never depends on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import optax
from jax.typing import ArrayLike

from surefoot.errors import RecipeError, nearest
from surefoot.optim.adagrad import scale_by_root_of_sum
from surefoot.optim.quickprop import quickprop
from surefoot.optim.weight_decay import decay_weights

Numbers = Mapping[str, ArrayLike]


@dataclass(frozen=True)
class Rule:
    """An update rule.

    Attributes:
        direction: from the rule's numbers, the transformation of a gradient into the direction
            that is multiplied by −η; of a rule with ``takes_rate``, into the update itself.
        takes_rate: whether η is one of the rule's numbers, "learning_rate".
        decoupled_decay: whether λw is added to the direction instead of to the gradient.
        averages: whether the direction takes the switches ``average`` and ``bias_correction``.
    """

    direction: Callable[..., optax.GradientTransformation]
    takes_rate: bool = False
    decoupled_decay: bool = False
    averages: bool = False


def _sgd(numbers: Numbers) -> optax.GradientTransformation:
    return optax.identity()


def _momentum(
    numbers: Numbers, *, average: bool = False, bias_correction: bool = False
) -> optax.GradientTransformation:
    beta = numbers["momentum"]
    if not average and not bias_correction:
        return optax.trace(beta)
    averaged = optax.ema(beta, debias=bias_correction)
    # v ← βv + g is the average v ← βv + (1−β)g over 1 − β.
    return averaged if average else optax.chain(averaged, optax.scale(1 / (1 - beta)))


def _nesterov(numbers: Numbers) -> optax.GradientTransformation:
    return optax.trace(numbers["momentum"], nesterov=True)


def _adagrad(numbers: Numbers) -> optax.GradientTransformation:
    return scale_by_root_of_sum(numbers["initial_accumulator"], numbers["epsilon"])


def _rmsprop(numbers: Numbers) -> optax.GradientTransformation:
    squares = optax.scale_by_rms(numbers["decay"], numbers["epsilon"], eps_in_sqrt=False)
    return optax.chain(squares, optax.trace(numbers["momentum"]))


def _adam(numbers: Numbers) -> optax.GradientTransformation:
    return optax.scale_by_adam(numbers["beta1"], numbers["beta2"], numbers["epsilon"])


def _radam(numbers: Numbers) -> optax.GradientTransformation:
    return optax.scale_by_radam(numbers["beta1"], numbers["beta2"], numbers["epsilon"])


def _quickprop(numbers: Numbers) -> optax.GradientTransformation:
    return quickprop(numbers["learning_rate"], numbers["growth"])


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "sgd": Rule(_sgd),
        "momentum": Rule(_momentum, averages=True),
        "nesterov": Rule(_nesterov),
        "adagrad": Rule(_adagrad),
        "rmsprop": Rule(_rmsprop),
        "adam": Rule(_adam),
        "adamw": Rule(_adam, decoupled_decay=True),
        "radam": Rule(_radam),
        "quickprop": Rule(_quickprop, takes_rate=True),
    }
)


def build(
    name: str,
    numbers: Numbers,
    learning_rate: ArrayLike,
    *,
    average: bool = False,
    bias_correction: bool = False,
    decayed: ArrayLike | None = None,
) -> optax.GradientTransformation:
    """Return an update rule whose updates are added to the parameters, w ← w + u.

    With the gradient g, the rate η, and λ the weight decay (of weights alone, see
    `decay_weights`; g stands for g + λw, but with adamw):

    | rule | u | source |
    | --- | --- | --- |
    | sgd | −ηg | Robbins and Monro 1951 |
    | momentum | −ηv, v ← βv + g | Polyak 1964 |
    | … average | −ηv, v ← βv + (1−β)g | |
    | … bias_correction | −ηv/(1−βᵗ) with either v, t = 1 at the first step | |
    | nesterov | −η(g + βv), v ← βv + g | Sutskever and others 2013 |
    | adagrad | −ηg/(√s + ε), s ← s + g² | Duchi and others 2011 |
    | rmsprop | −ηv, v ← βv + g/(√s + ε), s ← ρs + (1−ρ)g² | Tieleman and Hinton 2012 |
    | adam | −ηm̂/(√v̂ + ε), the corrected averages of g and g² | Kingma and Ba 2015 |
    | adamw | −η(m̂/(√v̂ + ε) + λw) | Loshchilov and Hutter 2019 |
    | radam | −ηrm̂/(√v̂ + ε) once the variance is known, till then −ηm̂ | Liu and others 2020 |
    | quickprop | see `quickprop` | Fahlman 1988 |

    Args:
        name: one of `RULES`.
        numbers: the rule's numbers under their names in a recipe, each a number or a traced
            scalar; further ones are ignored. Without "weight_decay" λ is 0.
        learning_rate: η of this step; may be traced.
        average: of momentum.
        bias_correction: of momentum.
        decayed: for parameters that are one vector: 1 where weight decay acts, else 0.

    Raises:
        RecipeError: there is no such rule, or it has no such switch.

    >>> import jax.numpy as jnp
    >>> params = {"kernel": jnp.array([[1.0]])}
    >>> rule = build("momentum", {"momentum": 0.5}, 0.1)
    >>> state = rule.init(params)
    >>> for _ in range(2):
    ...     update, state = rule.update({"kernel": jnp.array([[2.0]])}, state, params)
    ...     print(round(float(update["kernel"][0, 0]), 6))  # v = 2, then 0.5 · 2 + 2
    -0.2
    -0.3
    """
    if name not in RULES:
        raise RecipeError(
            f"optimizer.name: unknown update rule {name!r}{nearest(name, RULES)} "
            f"(allowed: {', '.join(RULES)})"
        )
    rule = RULES[name]
    switches = {"average": average, "bias_correction": bias_correction}
    if not rule.averages and any(switches.values()):
        raise RecipeError(
            f"optimizer: {name!r} has no average and no bias_correction; "
            'only "momentum" has; leave them out'
        )
    if rule.takes_rate:
        numbers = {**numbers, "learning_rate": learning_rate}
    direction = rule.direction(numbers, **(switches if rule.averages else {}))
    scale = optax.identity() if rule.takes_rate else optax.scale_by_learning_rate(learning_rate)
    decay = decay_weights(numbers.get("weight_decay", 0.0), decayed)
    if rule.decoupled_decay:
        return optax.chain(direction, decay, scale)
    return optax.chain(decay, direction, scale)
