"""What storing saves: backpropagation as dynamic programming, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod


@dataclass(frozen=True)
class Products:
    """How many multiplications by weights one example's gradient takes.

    Attributes:
        forward: one pass to the loss: Σ mₖ.
        stored: forward once, and back once with everything stored.
        recomputed: each layer's gradient by itself, nothing stored.
        paths: every path from a weight to an output as a product of its own; None where the net
            is not a chain of dense layers.
    """

    forward: int
    stored: int
    recomputed: int
    paths: int | None

    @property
    def saved(self) -> int:
        """Return how many multiplications storing saves."""
        return self.recomputed - self.stored

    @property
    def sentence(self) -> str:
        """Say what is saved, and why."""
        text = (
            f"Stored, each z, a and signal is computed once: {self.forward:,} multiplications "
            f"forward, {self.stored - self.forward:,} back, {self.stored:,} in all. Each layer's "
            f"gradient by itself, with nothing stored, would take {self.recomputed:,}, "
            f"{self.recomputed / max(self.stored, 1):.3g} times as many: the same products again "
            "and again."
        )
        if self.paths is not None:
            text += (
                f" Written out as a sum over all paths from each weight to the outputs it would "
                f"be {self.paths:,}, for their number multiplies with each layer."
            )
        return text + (
            " To solve each part once, store it, and build the next on it is dynamic programming."
        )


def count_products(
    multiplications: Sequence[int], shapes: Sequence[tuple[int, int]] | None = None
) -> Products:
    """Count the multiplications by weights for one example's gradient.

    Layer k of L multiplies mₖ times: n_in · n_out of a dense layer, once for each place of a
    convolution. Its weights' gradient takes mₖ more, xᵀg, and passing the signal on mₖ more, gWᵀ,
    which the first layer need not do.

    | what is kept | multiplications |
    | --- | --- |
    | everything | Σₖ mₖ forward, Σₖ mₖ for the weights, Σₖ₌₂ mₖ for the signals |
    | nothing | for each layer l: its input anew, Σₖ₍ₖ₋₁₎; the signal anew from the end, where each f′(zₖ) needs zₖ anew, Σⱼ≤ₖ mⱼ; and mₗ for the product |
    | nothing, and no sum shared | for each weight of layer l each path through the layers above, n₍ₗ₊₁₎ ⋯ n_L of them with L − l + 1 factors |

    Elementwise work, f′(z) and biases, is left out: it is small beside.

    Args:
        multiplications: m₁ … m_L.
        shapes: (n_in, n_out) of each layer where all are dense and in a chain.

    Source: Griewank and Walther (2008), *Evaluating Derivatives*, chapter 3; Goodfellow, Bengio
    and Courville (2016), *Deep Learning*, section 6.5.

    >>> counted = count_products([2, 2, 2], [(2, 1), (1, 2), (2, 1)])
    >>> counted.stored, counted.recomputed, counted.paths
    (16, 46, 18)
    """  # noqa: E501
    m = list(multiplications)
    up_to = [0, *accumulate(m)]  # up_to[k]: from the input to zₖ
    total, layers, signal = up_to[-1], len(m), 0
    recomputed = 0
    for k in range(layers, 0, -1):
        # The signal at zₖ: that at zₖ₊₁ passed on, and zₖ anew for f′(zₖ).
        signal += (m[k] if k < layers else 0) + up_to[k]
        recomputed += signal + up_to[k - 1] + m[k - 1]
    stored = total + total + sum(m[1:])
    paths = None
    if shapes:
        widths = [out for _, out in shapes]
        paths = sum(m[k] * prod(widths[k + 1 :]) * (layers - k) for k in range(layers))
    return Products(total, stored, recomputed, paths)
