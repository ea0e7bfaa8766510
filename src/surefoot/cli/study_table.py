"""A study's table and sentences, as people read them."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from surefoot.study.report import Scale
from surefoot.study.results import Study

# More settings are in the table on disk.
_MOST_ROWS = 20
# Narrower columns would break numbers apart: "97.1 %", and "96.4 % to 97.8 %".
_NUMBER, _INTERVAL, _VERDICT = 10, 16, 10


def show(found: Study) -> None:
    """Print the best settings, and what may be concluded."""
    people = Console(highlight=False)
    people.print(_ready(found) if "ready" in found.summary else _settings(found))
    left = found.table().rows - _MOST_ROWS
    if left > 0:
        people.print(f"and {left:,} more in settings.parquet")
    people.print()
    for sentence in found.conclusions:
        people.print(f"- {sentence}", markup=False, soft_wrap=True)
    summary = found.summary
    people.print(
        f"\n{summary['runs']:,} runs in {summary['seconds']:.1f} s; study: {found.path}",
        markup=False,
        soft_wrap=True,
    )


def _settings(found: Study) -> Table:
    """Return the settings of a study, the best first."""
    summary, rows = found.summary, found.table()
    scale = Scale(summary["measure"], summary["measure"].endswith("accuracy"))
    keys = list(summary["best"]["keys"])
    table = _table([*keys, scale.name, "95 % interval", ""], folded=len(keys))
    order = sorted(
        range(rows.rows), key=lambda i: -rows["mean"][i] if scale.higher else rows["mean"][i]
    )
    for i in order[:_MOST_ROWS]:
        own = [_text(rows[key][i]) for key in keys]
        ends = f"{scale.shown(rows['low'][i])} to {scale.shown(rows['high'][i])}"
        known = len(summary["seeds"]) > 1
        verdict = "best" if i == summary["best"]["setting"] else rows["verdict"][i]
        table.add_row(*own, scale.shown(rows["mean"][i]), ends if known else "", verdict)
    return table


def _ready(found: Study) -> Table:
    """Return the arms of a ready study, in its order."""
    summary, rows = found.summary, found.table()
    shown = Scale(summary["measure"], higher=True)
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("rate", no_wrap=True)
    table.add_column(shown.name, width=_NUMBER)
    table.add_column("95 % interval", width=_INTERVAL)
    table.add_column("", min_width=_VERDICT)
    for i, name in enumerate(summary["arms"]):
        ends = f"{shown.shown(rows['low'][i])} to {shown.shown(rows['high'][i])}"
        table.add_row(
            name,
            _text(rows["learning_rate"][i]),
            shown.shown(rows["mean"][i]),
            ends if len(summary["seeds"]) > 1 else "",
            rows["verdict"][i],
        )
    return table


def _table(heads: list[str], folded: int) -> Table:
    table = Table(box=None, pad_edge=False)
    for place, name in enumerate(heads):
        table.add_column(name, no_wrap=place >= folded, overflow="fold")
    return table


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
