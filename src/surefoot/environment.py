"""Where a run was made: versions, device, the state of the code around it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from typing import Any


def describe() -> dict[str, Any]:
    """Return versions, device and git state; no host name, no user name, no path."""
    import jax

    device = jax.devices()[0]
    return {
        "surefoot": version("surefoot"),
        "python": platform.python_version(),
        "platform": f"{sys.platform} {platform.machine()}",
        "cores": os.cpu_count(),
        "packages": {name: version(name) for name in ("jax", "jaxlib", "optax", "numpy")},
        "device": {"backend": device.platform, "kind": device.device_kind},
        "git": _git(),
    }


def _git() -> dict[str, Any] | None:
    """Return the commit of the folder that the run was started in, where it is a checkout."""
    try:
        commit = _ask("rev-parse", "HEAD")
        changed = bool(_ask("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit, "changed": changed}


def _ask(*words: str) -> str:
    done = subprocess.run(
        ["git", *words], capture_output=True, text=True, timeout=5, check=True, shell=False
    )
    return done.stdout.strip()
