"""The folder of an ensemble: a run's folder whose model has several members."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from surefoot.checksums import seal
from surefoot.engine.committee import Committee
from surefoot.ensemble.measuring import Rows, parts_of, predicted, score
from surefoot.ensemble.members import Member
from surefoot.environment import describe
from surefoot.files import write_json
from surefoot.recipe import Recipe, save
from surefoot.run import FORMAT, SEALED, Run
from surefoot.vitals.table import write as write_table


def write_ensemble(path: Path, members: list[Member], recipe: Recipe, about: dict[str, Any]) -> Run:
    """Write the folder of an ensemble, and open it.

    Args:
        path: the folder, made and empty.
        members: the nets.
        recipe: that `recipe.toml` shall hold.
        about: "kind" and "left_out" of the ensemble, "seconds" that it took; where it was trained
            "steps", "compile_seconds" and the "facts" of the data.

    Raises:
        TrainingError: a weight is not finite.
        RunError: the folder cannot be written.
    """
    committee = Committee([member.model for member in members])
    metrics, single = _metrics(members)
    committee.save(path)
    save(recipe, path / "recipe.toml")
    write_json(path / "environment.json", describe())
    if "facts" in about:
        write_json(path / "data.json", about["facts"])
    write_table(path, "members", _table(members, single))
    dataset = members[0].dataset
    steps = about.get("steps", 0)
    summary = {
        "format": FORMAT,
        "run": str(path),
        "metrics": metrics,
        "epochs": recipe.train.epochs if steps else 0,
        "steps": steps,
        "seconds": round(about["seconds"], 3),
        "compile_seconds": round(about.get("compile_seconds", 0.0), 3),
        "ended": "finished",
        "findings": [],
        "ensemble": {
            "kind": about["kind"],
            "members": len(members),
            "names": [member.name for member in members],
            "left_out": about["left_out"],
        },
    }
    write_json(path / "summary.json", summary)
    seal(path, SEALED)
    run = Run(path)
    run.dataset = dataset
    return run


def _metrics(
    members: list[Member],
) -> tuple[dict[str, dict[str, float]], list[dict[str, float]]]:
    """Return loss and measure of the mean prediction, and those of each member.

    Nothing is known where rows cannot be had again, and where members were validated on different
    rows: what one was validated on another was trained on.
    """
    shared = _shared_rows(members)
    metrics: dict[str, dict[str, float]] = {}
    single: list[dict[str, float]] = [{} for _ in members]
    first = members[0].model
    name = "rmse" if first.target.kind == "numbers" else "accuracy"
    for part in shared[0] if shared else ():
        each = []
        for number, (member, rows) in enumerate(zip(members, shared, strict=True)):
            assert member.dataset is not None
            each.append(predicted(member.model, member.dataset, rows[part].x))
            own = score(each[-1], rows[part], member.model)
            single[number] |= {f"{part}_loss": own.mean_loss, f"{part}_{name}": own.measure}
        whole = score(np.mean(each, axis=0), shared[0][part], first)
        metrics[part] = {"loss": whole.mean_loss, name: whole.measure}
    return metrics, single


def _shared_rows(members: list[Member]) -> list[dict[str, Rows]] | None:
    """Return each member's rows, as it takes them, where all of them have the same."""
    datasets = [member.dataset for member in members if member.dataset is not None]
    if len(datasets) < len(members):
        return None
    first, parts = datasets[0], [parts_of(dataset) for dataset in datasets]
    for dataset, own in zip(datasets[1:], parts[1:], strict=True):
        same = own.keys() == parts[0].keys() and all(
            np.array_equal(getattr(dataset, name), getattr(first, name))
            for name in ("train_rows", "validation_rows", "y_train", "y_val")
        )
        if not same:
            return None
    return parts


def _table(members: list[Member], single: list[dict[str, float]]) -> dict[str, Any]:
    """Return the table of members, a row each."""
    rows = [{**member.values, **own} for member, own in zip(members, single, strict=True)]
    columns: dict[str, Any] = {}
    for name in dict.fromkeys(key for row in rows for key in row):
        values = [row.get(name) for row in rows]
        columns[name] = np.array(values, object if name == "member" else None)
    return columns
