"""Whole processes: the import, the command line, and the memory that training takes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Limit:
    """A measurement that is to stay under a limit.

    Attributes:
        name: for ``--only``.
        title: what was measured.
        values: one for each repetition.
        limit: the most that is allowed.
        unit: of both.
    """

    name: str
    title: str
    values: list[float]
    limit: float
    unit: str

    @property
    def median(self) -> float:
        """The middle of all values."""
        return statistics.median(self.values)


_IMPORT = "import time; t = time.perf_counter(); import surefoot; print(time.perf_counter() - t)"
# 60,000 rows of 784 are 179 MB; they come from Python, as a user would give them.
_MEMORY = """
import tempfile
import numpy as np
import surefoot as sf
from benchmarks.memory import peak_bytes
rng = np.random.default_rng(0)
x = rng.standard_normal((60_000, 784), dtype=np.float32)
y = rng.integers(0, 10, len(x))
with tempfile.TemporaryDirectory() as folder:
    sf.train(x, y, net=sf.nets.mlp(256, 128), epochs=1, out=folder + "/run")
print((peak_bytes() - x.nbytes) / 2**30)
"""


def measure_import(repeats: int) -> Limit:
    """Time `import surefoot` in fresh processes."""
    _printed(_IMPORT)
    values = [_printed(_IMPORT) for _ in range(repeats)]
    return Limit("import", "import surefoot", values, 0.5, "s")


def measure_command(repeats: int) -> Limit:
    """Time `surefoot train digits` as whole processes, without the first one."""
    command = str(Path(sys.executable).with_name("surefoot"))
    values = []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(repeats + 1):
            started = time.perf_counter()
            arguments = [command, "train", "digits", "--out", f"{folder}/{i}"]
            subprocess.run(arguments, check=True, capture_output=True)
            values.append(time.perf_counter() - started)
    return Limit("command", "surefoot train digits, whole process", values[1:], 8.0, "s")


def measure_memory(repeats: int) -> Limit:
    """Return the peak memory of a training beyond the data, in fresh processes."""
    values = [_printed(_MEMORY) for _ in range(repeats)]
    title = "memory beyond the data, 60,000 rows of 784 (0.18 GB)"
    return Limit("memory", title, values, 1.0, "GB")


def _printed(program: str) -> float:
    """Run a program in a fresh process; return the number that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return float(done.stdout.split()[-1])


LIMITS = {"import": measure_import, "command": measure_command, "memory": measure_memory}
