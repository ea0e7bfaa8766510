"""Faults of the data: scales, labels, shares of classes, inputs that say nothing."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.faults.draft import Draft
from benchmarks.faults.family import Family, Strength, ids


def _text(strength: Strength) -> str:
    return f"{strength:g}" if isinstance(strength, float | int) else strength


def _unscaled(edit: str) -> Callable[[Draft, Strength], None]:
    """Return an edit of the inputs that is left to the net, for nothing is scaled."""

    def apply(draft: Draft, strength: Strength) -> None:
        draft.edit_data(f"{edit}={_text(strength)}")
        draft.data["standardize"] = False

    return apply


def _changed(edit: str) -> Callable[[Draft, Strength], None]:
    def apply(draft: Draft, strength: Strength) -> None:
        draft.edit_data(f"{edit}={_text(strength)}")

    return apply


def _targets(edit: str) -> Callable[[Draft, Strength], None]:
    def apply(draft: Draft, strength: Strength) -> None:
        draft.edit_data(f"{edit}={_text(strength)}")
        draft.data["standardize_targets"] = False

    return apply


def _as_they_come(draft: Draft, strength: Strength) -> None:
    draft.data["standardize"] = False


def _targets_as_they_come(draft: Draft, strength: Strength) -> None:
    draft.data["standardize_targets"] = False


def _raw_scale(draft: Draft) -> bool:
    return draft.spec.unscaled and draft.data["standardize"]


def _raw_targets(draft: Draft) -> bool:
    return draft.data["standardize_targets"]


def _regression(draft: Draft) -> bool:
    return not draft.classes


def _classes(draft: Draft) -> bool:
    return draft.classes


def _flat(draft: Draft) -> bool:
    return not draft.batch_norm and not draft.spec.pictures


FAMILIES = (
    Family(
        "inputs-scaled",
        (1e-3, 3.0, 30.0, 300.0, 1e4),
        ids("unscaled-inputs"),
        "standardized inputs undo it",
        ids("inputs"),
        _unscaled("inputs-times"),
    ),
    Family(
        "inputs-offset",
        (3.0, 30.0, 300.0),
        ids("unscaled-inputs"),
        "standardized inputs undo it",
        ids("inputs"),
        _unscaled("inputs-plus"),
    ),
    Family(
        "columns-apart",
        (1.0, 2.0, 3.0),
        ids("unscaled-inputs", "ravine"),
        "standardized inputs undo it; columns of unlike scale are what makes the ravine",
        ids("inputs"),
        _unscaled("columns-apart"),
        _flat,
    ),
    Family(
        "inputs-as-they-come",
        ("raw",),
        ids("unscaled-inputs"),
        "standardized inputs undo it",
        ids("inputs"),
        _as_they_come,
        _raw_scale,
        shares=3,
    ),
    Family(
        "targets-scaled",
        (10.0, 1e3, 1e5),
        ids("unscaled-targets"),
        "standardized targets undo it",
        ids("targets"),
        _targets("targets-times"),
        _regression,
    ),
    Family(
        "targets-offset",
        (10.0, 1e3),
        ids("unscaled-targets"),
        "standardized targets undo it",
        ids("targets"),
        _targets("targets-plus"),
        _regression,
    ),
    Family(
        "targets-as-they-come",
        ("raw",),
        ids("unscaled-targets"),
        "standardized targets undo it",
        ids("targets"),
        _targets_as_they_come,
        _raw_targets,
    ),
    Family(
        "labels-shuffled",
        (0.2, 0.4, 0.7, 1.0),
        ids("data-problem"),
        "right labels undo it; where most are right, not learning the others by heart does, too",
        ids("labels"),
        _changed("labels-shuffled"),
        also={0.2: ids("overfitting"), 0.4: ids("overfitting"), 0.7: ids("overfitting")},
    ),
    Family(
        "inputs-noise",
        (0.5, 1.0),
        ids("data-problem"),
        "inputs that say nothing about the target cannot be learned from",
        ids("inputs"),
        _changed("inputs-noise"),
    ),
    Family(
        "inputs-constant",
        (0.0, 7.0),
        ids("data-problem"),
        "inputs that do not differ cannot be learned from",
        ids("inputs"),
        _changed("inputs-constant"),
        shares=1,
    ),
    Family(
        "outlier-rows",
        (30.0, 1e4),
        ids("data-problem", "unscaled-inputs"),
        "a few rows with gross values set the scale of all; leaving them out undoes it",
        ids("inputs"),
        _changed("outlier-rows"),
    ),
    Family(
        "outlier-column",
        (100.0, 1e4),
        ids("data-problem", "unscaled-inputs"),
        "one huge column of noise drowns the others; standardizing or leaving it out undoes it",
        ids("inputs"),
        _unscaled("outlier-column"),
        _flat,
    ),
    Family(
        "classes-rare",
        (5.0, 15.0, 30.0, 60.0),
        ids("class-imbalance"),
        "weights for the classes, or rows of the rare ones, undo it",
        ids("rows"),
        _changed("imbalance"),
        _classes,
    ),
)
