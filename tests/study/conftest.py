"""A tiny study's parts."""

from __future__ import annotations

import pytest

from surefoot.job import Job, prepare

LAYERS = [{"dense": 4}, {"activation": "tanh"}, {"dense": "classes"}, {"activation": "softmax"}]


@pytest.fixture(scope="session")
def job() -> Job:
    """Iris with a tiny net, two epochs of it."""
    return prepare(
        {
            "data": {"source": "iris"},
            "net": {"layers": LAYERS},
            "train": {"batch_size": 20, "epochs": 2},
        },
        facts=False,
    )
