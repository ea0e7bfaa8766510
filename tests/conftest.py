"""What every test may ask for."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Nets are tiny here and train for moments: what a test costs is XLA's compiler, which takes a
# fifth of the time without LLVM's optimizations and without its own fusion emitters. What
# XLA_FLAGS says counts more. All of this is read when JAX starts, also by processes that tests
# start; `users_compiler` below undoes it for a file.
_QUICK = {
    "xla_cpu_use_fusion_emitters": False,
    "xla_backend_optimization_level": 0,
    "xla_cpu_parallel_codegen_split_count": 1,
}
_FLAGS = " ".join(f"--{name}={value}".lower() for name, value in _QUICK.items())
if not os.environ.get("XLA_FLAGS", "").startswith(_FLAGS):
    os.environ["XLA_FLAGS"] = f"{_FLAGS} {os.environ.get('XLA_FLAGS', '')}".strip()

# Of matrices as small as the tests' the threads of BLAS and of OpenMP do little but wait for one
# another, each at a whole core's cost: a system of 300 equations takes 300 ms instead of 2. Read
# when NumPy and PyTorch start.
for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

# Processes that tests start keep Python's own compiled files, which else take each of them half a
# second.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Compiled programs are kept between processes and between runs of the tests, which then take two
# thirds of the time. The key holds the program, the flags and the machine: nothing stale is ever
# used.
os.environ.setdefault(
    "JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".pytest_cache" / "xla")
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")

import jax  # noqa: E402
import pytest  # noqa: E402

from surefoot.engine.effort import Effort  # noqa: E402
from surefoot.engine.programs import programs_for  # noqa: E402

# What JAX traces and compiles stays, and is millions of objects: looking for cycles among them as
# often as Python does by itself takes a twentieth of the time.
gc.set_threshold(100_000, 20, 100)


@pytest.fixture(scope="module")
def users_compiler() -> Iterator[None]:
    """Compile training as it is compiled for users: for what is promised to the bit."""
    usual = {
        "xla_cpu_use_fusion_emitters": True,
        "xla_backend_optimization_level": 3,
        "xla_cpu_parallel_codegen_split_count": 32,
    }
    own = Effort.compiler_options.fget
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Effort, "compiler_options", property(lambda self: usual | own(self)))
        programs_for.cache_clear()
        yield
    programs_for.cache_clear()


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
