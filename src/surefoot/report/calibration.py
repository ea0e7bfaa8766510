"""How well chances agree with what happens."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_BINS = 10


def calibration(confidence: NDArray[Any], right: NDArray[Any]) -> dict[str, Any]:
    """Return the reliability diagram, and the expected calibration error.

    ECE = Σ_b (n_b/n) |accuracy_b − confidence_b| over ten bins of equal width of the predicted
    class's chance; row i lies in bin b where b/10 < cᵢ ≤ (b + 1)/10.

    Args:
        confidence: the chance that the net gives what it predicts, [rows].
        right: whether it was right, [rows].

    Returns:
        `ece`; and of each bin that has rows, `confidence` and `accuracy`, their means, and `rows`.

    Source: Guo et al. (2017), On calibration of modern neural networks, equation 3.

    >>> found = calibration(np.array([0.95, 0.95, 0.55, 0.55]), np.array([1, 1, 1, 0]))
    >>> round(found["ece"], 3), found["rows"]
    (0.05, [2, 2])
    """
    kept = np.isfinite(confidence)
    confidence, right = confidence[kept].astype(np.float64), right[kept].astype(np.float64)
    bins = np.clip(np.ceil(confidence * _BINS).astype(int) - 1, 0, _BINS - 1)
    rows = np.bincount(bins, minlength=_BINS)
    used = rows > 0
    total = np.maximum(rows, 1)
    mean = np.bincount(bins, confidence, _BINS) / total
    share = np.bincount(bins, right, _BINS) / total
    error = float((rows * np.abs(share - mean)).sum() / max(len(confidence), 1))
    return {
        "ece": error,
        "confidence": mean[used].tolist(),
        "accuracy": share[used].tolist(),
        "rows": rows[used].tolist(),
    }
