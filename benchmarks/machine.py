"""What the measurements were taken on, without any name of the machine."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path


def describe() -> dict[str, str]:
    """Return processor, cores, memory and versions."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in ("jax", "jaxlib", "optax", "numpy")},
    }


def _processor() -> str:
    """Return the processor's model, and family and model number, since clouds hide the name."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    lines = [line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line]
    values = {key.strip(): value.strip() for key, value in lines}
    if "model name" not in values:
        return platform.processor() or platform.machine()
    vectors = [flag for flag in ("avx2", "avx512f") if flag in values.get("flags", "").split()]
    family = f"family {values.get('cpu family')}, model {values.get('model')}"
    return ", ".join([values["model name"], family, *vectors])
