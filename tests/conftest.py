"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture
def x64() -> Iterator[None]:
    """Run one test in float64; the rest of the suite stays in float32."""
    with jax.enable_x64(True):
        yield
