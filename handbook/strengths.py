"""What many strengths of one thing do to a net, the first of them being none of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handbook.lanes import Trained
from surefoot.report.charts import series


def by_strength(
    trained: Mapping[str, Trained], name: str, strengths: Sequence[float]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the figures of a study of strengths, and its two curves of accuracy.

    Args:
        trained: of each strength, in their order.
        name: of the strength, such as "rate".
        strengths: the numbers themselves.
    """
    every, parts = list(trained.values()), ("train", "validation")
    accuracy = {part: [own.of(part).mean() for own in every] for part in parts}
    loss = {f"{part}_loss": [own.of(part, measure=False).mean() for own in every] for part in parts}
    best = max(range(len(every)), key=accuracy["validation"].__getitem__)
    gain = every[best].of("validation") - every[0].of("validation")
    numbers = {
        f"{name}s": strengths,
        "seeds": len(gain),
        **accuracy,
        **loss,
        f"best_{name}": strengths[best],
        "gain": gain.mean(),
        "gain_error": gain.std(ddof=1) / len(gain) ** 0.5,
    }
    return numbers, [series(part, strengths, own, role=part) for part, own in accuracy.items()]
