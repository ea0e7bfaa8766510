"""Numbers and names as the pages say them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def figure(value: Any, measure: str = "") -> str:
    r"""Return a number as people read it; a share where the measure is an accuracy.

    >>> figure(0.97771, "accuracy"), figure(0.000123), figure(12345.0), figure(None)
    ('97.8\xa0%', '0.000123', '12,345', 'not finite')
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "not finite" if value is None else str(value)
    if not math.isfinite(value):
        return "not finite"
    if measure.endswith("accuracy"):
        return f"{100 * value:.1f}\u00a0%"
    if isinstance(value, int) or (abs(value) < 1e12 and value == int(value)):
        return f"{int(value):,}"
    size = abs(value)
    if 1e4 <= size < 1e7:
        return f"{value:,.0f}"
    return f"{value:.4g}" if size >= 0.01 else f"{value:.3g}"


def title(finding: Any) -> str:
    """Return a finding's id as words.

    >>> title("learning-rate-too-high")
    'learning rate too high'
    """
    return str(finding).replace("-", " ")


def words(name: str) -> str:
    """Return a column's or an evidence's name as words.

    >>> words("median_update_ratio"), words("validation_rmse")
    ('median update ratio', 'validation RMSE')
    """
    return name.replace("_", " ").replace("rmse", "RMSE")


def sentence_case(text: str) -> str:
    """Return a text with a capital at its beginning, and the rest as it is.

    >>> sentence_case("validation RMSE")
    'Validation RMSE'
    """
    return text[:1].upper() + text[1:]


def seconds(value: Any) -> str:
    """Return a time as people say it.

    >>> seconds(2.34), seconds(75), seconds(7300)
    ('2.3 s', '1 min 15 s', '2 h 1 min')
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "not known"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def flat(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Return nested facts as rows of a name and a text.

    >>> flat({"rows": 150, "inputs": {"mean": 0.5, "shape": [8, 8]}})
    [('rows', '150'), ('inputs: mean', '0.5'), ('inputs: shape', '8, 8')]
    """
    rows: list[tuple[str, str]] = []
    for key, own in value.items() if isinstance(value, Mapping) else ():
        name = f"{prefix}{words(str(key))}"
        if isinstance(own, Mapping):
            rows += flat(own, f"{name}: ")
        elif isinstance(own, list | tuple):
            shown = ", ".join(figure(item) if item is not None else "–" for item in own[:12])
            more = f" … {len(own)} in all" if len(own) > 12 else ""
            rows.append((name, shown + more or "none"))
        else:
            rows.append((name, "none" if own is None else figure(own)))
    return rows
