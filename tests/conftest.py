"""What every test may ask for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium, without a screen: one for all pages, since a process can have one."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed: pages are not looked at")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        shown = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield shown
        shown.close()
