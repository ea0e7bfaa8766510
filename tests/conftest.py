"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import jax
import pytest

# Compiled programs are kept between runs of the tests, which then take a third of the time. The
# key holds the program and the machine: nothing stale is ever used. The variables are for
# processes that tests start.
_KEPT = {
    "jax_compilation_cache_dir": str(Path(__file__).parents[1] / ".pytest_cache" / "xla"),
    "jax_persistent_cache_min_compile_time_secs": 0.2,
}
for _name, _value in _KEPT.items():
    jax.config.update(_name, _value)
    os.environ[_name.upper()] = str(_value)


@pytest.fixture
def x64() -> Iterator[None]:
    """Run one test in float64; the rest of the suite stays in float32."""
    with jax.enable_x64(True):
        yield
