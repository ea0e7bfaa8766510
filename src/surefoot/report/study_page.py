"""What the page of a study says, as plain values for its template."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from surefoot.checksums import check
from surefoot.errors import RunError
from surefoot.report.arms import arm_charts
from surefoot.report.charts import Chart, axis, plain, plot, series
from surefoot.report.contours import contours
from surefoot.report.thinning import Array
from surefoot.report.words import figure, seconds, sentence_case, words
from surefoot.study.report import Scale
from surefoot.study.results import Study
from surefoot.vitals.table import Table

# Settings that the page lists, and lines that can be told apart.
_MOST_ROWS, _MOST_LINES, _MOST_CURVES, _LEVELS = 200, 300, 8, 7
# Shaded intervals that can be told apart; of more curves the best one has its own.
_MOST_INTERVALS = 3
# Values that lie this far apart are drawn on a logarithmic axis.
_WIDE = 30.0


def study_page(path: Path) -> dict[str, Any]:
    """Return what the page of a study says, and its charts.

    Raises:
        RunError: the study's table cannot be read.
    """
    study = Study(path)
    lost: list[str] = []
    summary, table = study.summary, study.table()
    scale = Scale(str(summary["measure"]), str(summary["measure"]).endswith("accuracy"))
    keys = [str(key) for key in summary["best"]["keys"]]
    conclusions = [str(line) for line in study.conclusions]
    best = int(summary["best"]["setting"])
    # A ready study is headed by its question, another one by what did best.
    sentence = summary.get("question") or (
        conclusions.pop(0) if conclusions else "This study came to no conclusion."
    )
    ready = "arms" in summary
    charts = (
        arm_charts(study, table, scale, lost)
        if ready
        else [
            _response(table, key, keys, scale, best)
            if _is_number(table[key]) or len(keys) == 1
            else _at_their_best(table, key, keys, scale)
            for key in keys
        ]
    )
    surface = _surface(table, keys, scale) if len(keys) == 2 and not ready else None
    parallel = _parallel(table, keys, scale, best) if len(keys) > 1 and not ready else None
    asked, recipe = (_text(path, name, lost) for name in ("study.toml", "best.toml"))
    return {
        "kind": "study",
        "name": path.resolve().name,
        "verdict": "study",
        "sentence": sentence,
        "conclusions": conclusions,
        "figures": [
            ("settings", figure(summary["settings"])),
            ("seeds each", figure(len(summary["seeds"]))),
            ("runs", figure(summary["runs"])),
            ("diverged", figure(summary["diverged"])),
            ("time", seconds(summary["seconds"])),
        ],
        "ready": ready,
        "heading": "What each arm does" if ready else "What each key does",
        "keys": keys,
        "measure": scale.name,
        "rows": _rows(table, keys, scale, best),
        "more": max(table.rows - _MOST_ROWS, 0),
        "asked": asked,
        "recipe": recipe,
        "lost": lost,
        "notices": [],
        "charts": {
            "response": charts,
            "whole": [chart for chart in (surface, parallel) if chart is not None],
        },
    }


def _text(path: Path, name: str, lost: list[str]) -> str:
    """Return the text of a file; nothing where it is missing or altered, which is told."""
    try:
        check(path, name)
        return (path / name).read_text(encoding="utf-8", errors="replace")
    except (RunError, OSError) as error:
        lost.append(str(error) or type(error).__name__)
        return ""


def _order(table: Table, scale: Scale) -> Array:
    mean = np.asarray(table["mean"], np.float64)
    return np.argsort(np.where(np.isfinite(mean), -mean if scale.higher else mean, np.inf))


def _rows(table: Table, keys: list[str], scale: Scale, best: int) -> list[dict[str, Any]]:
    told = []
    for i in _order(table, scale)[:_MOST_ROWS].tolist():
        is_best = int(table["setting"][i]) == best
        told.append(
            {
                "values": [figure(_plain(table[key][i])) for key in keys],
                "mean": scale.shown(float(table["mean"][i])),
                "interval": f"{scale.shown(float(table['low'][i]))} to "
                f"{scale.shown(float(table['high'][i]))}"
                if np.isfinite(table["low"][i])
                else "",
                "diverged": figure(int(table["diverged"][i])),
                "verdict": "best" if is_best else str(table["verdict"][i]),
                "best": is_best,
            }
        )
    return told


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _named(key: str, keys: list[str]) -> str:
    """Return a varied key as words: its last part, where no other's is the same.

    >>> _named("train.batch_size", ["train.batch_size", "optimizer.name", "schedule.name"])
    'batch size'
    >>> _named("schedule.name", ["train.batch_size", "optimizer.name", "schedule.name"])
    'schedule.name'
    """
    last = [other.rpartition(".")[2] for other in keys]
    own = key.rpartition(".")[2]
    return words(own if last.count(own) == 1 else key)


def _is_number(column: Array) -> bool:
    return column.dtype.kind in "iuf"


def _key_axis(column: Array, label: str) -> dict[str, Any]:
    """Return the axis of a key that was varied: by its values, or by their names."""
    if not _is_number(column):
        return axis(label, "category", categories=list(dict.fromkeys(str(v) for v in column)))
    low, high = float(np.nanmin(column)), float(np.nanmax(column))
    wide = low > 0 and high / low > _WIDE
    return axis(label, "log", low=low, high=high) if wide else axis(label)


def _response(table: Table, key: str, keys: list[str], scale: Scale, best: int) -> Chart:
    """Draw what settings reach over one key: a curve with its interval for each of the others."""
    across = _key_axis(table[key], _named(key, keys))
    others = [name for name in keys if name != key]
    names = np.array(
        [
            ", ".join(f"{_named(o, keys)} {figure(_plain(table[o][i]))}" for o in others) or "mean"
            for i in range(table.rows)
        ],
        object,
    )
    groups = list(dict.fromkeys(names.tolist()))
    own = names[np.flatnonzero(table["setting"] == best)[:1]].tolist()
    chosen = sorted(groups, key=lambda name: name not in own)[:_MOST_CURVES]
    lines: list[dict[str, Any]] = []
    for place, name in enumerate(chosen):
        rows = np.flatnonzero(names == name)
        x = table[key][rows]
        if _is_number(x):
            rows = rows[np.argsort(x, kind="stable")]
            at: list[Any] = plain(table[key][rows].astype(np.float64))
        else:
            at = [across["categories"].index(str(v)) for v in table[key][rows]]
        role = place if len(chosen) > 1 else "train"
        mean, low, high = (np.asarray(table[c][rows], np.float64) for c in ("mean", "low", "high"))
        crowded = len(chosen) > _MOST_INTERVALS and across["scale"] != "category" and place > 0
        if np.isfinite(low).any() and not crowded:
            label = name if len(chosen) > 1 else "95 % interval"
            lines.append(series(label, at, mean, mark="interval", role=role, low=low, high=high))
        mark = "line" if across["scale"] != "category" else "points"
        lines.append(series(name, at, mean, mark=mark, role=role))
    about = "Each point is the mean over seeds, with its 95 % bootstrap interval."
    if len(groups) > len(chosen):
        about += f" {len(chosen)} of {len(groups)} curves are drawn, the best one's first."
    return plot(
        f"response-{key}",
        f"{sentence_case(words(scale.name))} over {_named(key, keys)}",
        across,
        axis(scale.name) if scale.higher else axis(scale.name, toggle=True),
        lines,
        about=about,
        named=True,
    )


def _at_their_best(table: Table, key: str, keys: list[str], scale: Scale) -> Chart:
    """Draw what each value of a key reaches with the values of the others that suit it best."""
    across = _key_axis(table[key], _named(key, keys))
    order = _order(table, scale).tolist()
    values = [str(value) for value in table[key]]
    rows = [next(i for i in order if values[i] == name) for name in across["categories"]]
    others = [name for name in keys if name != key]
    notes = [
        ", ".join(f"{_named(o, keys)} {figure(_plain(table[o][i]))}" for o in others) for i in rows
    ]
    at = list(range(len(rows)))
    mean, low, high = (np.asarray(table[c][rows], np.float64) for c in ("mean", "low", "high"))
    lines = [series("mean", at, mean, mark="points", role="train", notes=notes)]
    if np.isfinite(low).any():
        interval = {"mark": "interval", "role": "train", "low": low, "high": high}
        lines.insert(0, series("95 % interval", at, mean, **interval))
    return plot(
        f"response-{key}",
        f"{sentence_case(words(scale.name))} over {_named(key, keys)}",
        across,
        axis(scale.name),
        lines,
        about=f"Each at its best {' and '.join(_named(other, keys) for other in others)}: "
        + "; ".join(f"{n}: {note}" for n, note in zip(across["categories"], notes, strict=True))
        + ".",
        named=True,
    )


def _surface(table: Table, keys: list[str], scale: Scale) -> Chart | None:
    """Draw contour lines of what two keys that are numbers reach, where they make a grid."""
    if not all(_is_number(table[key]) for key in keys):
        return None
    (x, columns), (y, rows) = (np.unique(table[key], return_inverse=True) for key in keys)
    if min(len(x), len(y)) < 3 or len(x) * len(y) != table.rows:
        return None
    z = np.full((len(y), len(x)), np.nan)
    z[rows, columns] = np.asarray(table["mean"], np.float64)
    finite = z[np.isfinite(z)]
    if not len(finite) or finite.min() == finite.max():
        return None
    across, up = (_key_axis(table[key], _named(key, keys)) for key in keys)
    # Contours run straight on the axes as they are drawn.
    ways = [np.log if own["scale"] == "log" else np.asarray for own in (across, up)]
    levels = np.linspace(finite.min(), finite.max(), _LEVELS + 2)[1:-1].tolist()
    lines = contours(ways[0](x), ways[1](y), z, levels)
    for line in lines:
        for name, own in (("x", across), ("y", up)):
            if own["scale"] == "log":
                line[name] = plain([np.nan if v is None else float(np.exp(v)) for v in line[name]])
        line["name"] = scale.shown(float(line["name"]))
    notes = [scale.shown(float(mean)) for mean in table["mean"]]
    at = [plain(table[key].astype(np.float64)) for key in keys]
    dots = series("settings", *at, mark="points", role="plain", notes=notes)
    return plot(
        "surface",
        f"{sentence_case(words(scale.name))} over both keys",
        across,
        up,
        [*lines, dots],
        about="Lines join what reaches the same; the stronger a line, the higher. Each dot is a "
        "setting.",
        named=True,
    )


def _parallel(table: Table, keys: list[str], scale: Scale, best: int) -> Chart | None:
    """Draw each setting as a line through its values, to what it reached."""
    order = _order(table, scale)[:_MOST_LINES]
    reached = np.asarray(table["mean"][order], np.float64)
    order = order[np.isfinite(reached)]
    if not len(order):
        return None
    axes = [*(_key_axis(table[key][order], _named(key, keys)) for key in keys), axis(scale.name)]
    ranks = 1 - np.arange(len(order)) / max(len(order) - 1, 1)
    lines = []
    for rank, i in zip(ranks.tolist(), order.tolist(), strict=True):
        values: list[Any] = []
        for key, across in zip(keys, axes, strict=False):
            value = _plain(table[key][i])
            values.append(str(value) if across["scale"] == "category" else plain([float(value)])[0])
        values.append(plain([float(table["mean"][i])])[0])
        lines.append({"values": values, "rank": rank, "best": int(table["setting"][i]) == best})
    return {
        "name": "parallel",
        "kind": "parallel",
        "title": "Every setting, from its keys to its result",
        "about": "A line is a setting; the stronger its colour, the better it did. The best is "
        "drawn thick.",
        "axes": axes,
        "lines": lines,
        "lineName": "setting",
    }


def is_study(path: Path, summary: Any) -> bool:
    """Whether a folder is a study's."""
    told = isinstance(summary, Mapping) and "study_format" in summary
    return told or (path / "study.toml").is_file()
