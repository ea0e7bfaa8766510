"""Recipes of common sense: what a careful person would have written for the same rows.

They tell how much can be reached at all. A small edit that comes up to them is enough, and where
none does, they are what is made smaller, change by change.
"""

from __future__ import annotations

from surefoot.repair.remedies.registry import REMEDIES, THOROUGH
from surefoot.repair.step import Step


def plain() -> list[list[Step]]:
    """Return the changes that clean everything up and put a plain net in, at two rates.

    They are lanes of one program.
    """
    return [[*steps, REMEDIES["net"]] for steps in clean()]


def clean() -> list[list[Step]]:
    """Return the changes that clean everything up but for the net, at two rates."""
    return [
        [REMEDIES[rule if name == "adam" else name] for name in THOROUGH]
        for rule in ("adam", "adam-fast")
    ]


def restrained() -> list[list[Step]]:
    """Return what is added where rows are few, or labels wrong: numbers, loss and dropout."""
    names = (
        ["balanced"],
        ["stopping"],
        ["decay"],
        ["decay-strong"],
        ["decay-firm"],
        ["balanced", "decay"],
        ["stopping", "decay-strong"],
        ["robust"],
        ["robust", "stopping"],
        ["dropout"],
        ["dropout", "robust"],
    )
    return [[REMEDIES[name] for name in added] for added in names]
