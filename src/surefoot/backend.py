"""The choices that differ by kind of device, in one place.

Those of the CPU are measured; benchmarks/README.md has the figures. Those of GPUs and TPUs are
what XLA's compilers for them are built for, and were not measured; docs/scale.md says so.
"""

from __future__ import annotations

import os

import jax

# Rows of a batch that each device is left with at least, where a run spreads it by itself: with
# fewer a step of a small net takes no longer than the exchange of its gradients.
LEAST_ROWS = 64


def on_cpu() -> bool:
    """Return whether programs run on the CPU."""
    return jax.default_backend() == "cpu"


def convolves_by_products() -> bool:
    """Return whether convolutions are matrix products, and pooling slices.

    On the CPU XLA's own convolution is forty times slower within a loop.
    """
    return on_cpu()


def available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def groups_at_once() -> int:
    """Return how many groups of lanes run side by side on one device.

    One for each core of a CPU, where XLA runs a product that is batched over lanes on one core.
    """
    return available_cores() if on_cpu() else 1


def group_lanes(width: int | None) -> int | None:
    """Return how many lanes a group has, of those asked for: on a GPU all lanes are one group."""
    return width if on_cpu() else None
