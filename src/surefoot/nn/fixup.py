"""Fixup: residual nets without normalization, by initialization alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from surefoot.nn.initializers import fixup_scale
from surefoot.nn.layer import Initial
from surefoot.recipe import Net, kind_of


def fixup_initials(net: Net) -> dict[str, Initial]:
    """Return the initializer of each weight layer that the name "fixup" governs, by its number.

    Fixup (Zhang, Dauphin, Ma 2019): the net's last weight layer and the last one of each residual
    branch begin at zero; the other layers within a branch begin at He's times L^(−1/(2m−2)), with
    L residual branches in the net and m weight layers in the branch; layers outside of branches
    begin at He's. So a step of rate η changes the net's function by about η at any depth.

    >>> layers = [{"residual": [{"dense": 8}, {"dense": 8}]}, {"dense": 2}]
    >>> net = Net.model_validate({"layers": layers, "initializer": "fixup"})
    >>> {number: initial.name for number, initial in fixup_initials(net).items()}
    {'1.1': 'he_normal', '1.2': 'zeros', '2': 'zeros'}
    """
    found = list(_weight_layers(net.layers, "", None))
    branches = _count_branches(net.layers)
    initials: dict[str, Initial] = {}
    for number, spec, branch in found:
        if (spec.initializer or net.initializer).name != "fixup":
            continue
        own = spec.initializer is not None
        peers = [other for other, _, its_branch in found if its_branch == branch]
        if number == peers[-1] and (branch is not None or number == found[-1][0]):
            initials[number] = Initial("zeros", own)
        else:
            factor = fixup_scale(branches, len(peers)) if branch is not None else 1.0
            initials[number] = Initial("he_normal", own, factor)
    return initials


def _weight_layers(
    specs: Sequence[Any], prefix: str, branch: str | None
) -> Iterator[tuple[str, Any, str | None]]:
    """Yield each weight layer with its number and the number of its residual branch."""
    for i, spec in enumerate(specs, start=1):
        number = f"{prefix}{i}"
        match kind_of(spec):
            case "dense" | "conv":
                yield number, spec, branch
            case "residual":
                yield from _weight_layers(spec.residual, f"{number}.", number)
            case "repeat":
                yield from _weight_layers(spec.layers, f"{number}.", branch)


def _count_branches(specs: Sequence[Any]) -> int:
    """Count the residual branches, each as often as it is repeated."""
    count = 0
    for spec in specs:
        match kind_of(spec):
            case "residual":
                count += 1 + _count_branches(spec.residual)
            case "repeat":
                count += spec.repeat * _count_branches(spec.layers)
    return count
