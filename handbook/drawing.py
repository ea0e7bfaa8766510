"""Parts of charts that several pages have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from surefoot.report.charts import series
from surefoot.report.contours import contours


def rings(
    x: NDArray[Any], y: NDArray[Any], z: NDArray[Any], levels: Sequence[float]
) -> dict[str, Any]:
    """Return the contour lines of a surface as one series.

    >>> x = np.linspace(-1, 1, 5)
    >>> rings(x, x, x[None] ** 2 + x[:, None] ** 2, [0.5])["name"]
    'contours'
    """
    lines = contours(x, y, z, levels)
    across, up = ([v for line in lines for v in line[key]] for key in ("x", "y"))
    return series("contours", across, up, mark="path", role="plain", faint=True)
