"""What the compiler's efforts cost and give: `python -m benchmarks.compiler_effort`.

For some small nets, four lanes of each: seconds of the processor to compile, and of training, with
each of `surefoot.engine.effort.Effort`, as a ratio to those with `FULL`. Nothing compiled is kept
between rows. Medians over `--turns`, in which the efforts take turns.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import jax

from surefoot.engine.cohort import Cohort
from surefoot.engine.effort import Effort
from surefoot.engine.programs import programs_for
from surefoot.engine.training import Training
from surefoot.job import prepare

_LANES, _STEPS = 4, 2000
_SGD = {"name": "sgd", "learning_rate": 0.01}
_ADAM = {"name": "adam", "learning_rate": 1e-3}
_DEEP = [{"dense": 32}, {"activation": "tanh"}] * 10
_NORMED = [{"dense": 64}, {"batch_norm": {}}, {"activation": "relu"}] * 2
_FILTERS = [{"conv": 8, "size": 3}, {"batch_norm": {}}, {"activation": "relu"}, {"max_pool": 2}]
_NETS: dict[str, tuple[str, list[dict[str, Any]], dict[str, Any]]] = {
    "iris, 16": ("iris", [{"dense": 16}, {"activation": "tanh"}], _SGD),
    "iris, 10 × 32": ("iris", _DEEP, _ADAM),
    "breast-cancer, 64-64": ("breast-cancer", [{"dense": 64}, {"activation": "relu"}] * 2, _ADAM),
    "digits, 64-64": ("digits", [{"dense": 64}, {"activation": "relu"}] * 2, _ADAM),
    "digits, 64-64 normalized": ("digits", _NORMED, _ADAM),
    "digits, 8 filters": ("digits", [*_FILTERS, {"flatten": {}}], _SGD),
}


def measure(name: str, effort: Effort) -> tuple[float, float]:
    """Return the processor's seconds to compile, and seconds to take 2,000 steps."""
    source, hidden, rule = _NETS[name]
    output = [{"dense": "classes"}, {"activation": "softmax"}]
    recipe = {
        "data": {"source": source},
        "net": {"layers": [*hidden, *output]},
        "optimizer": rule,
        "train": {"epochs": 1000, "batch_size": 32},
        "vitals": {"every": 0, "first": 0},
    }
    job = prepare(recipe, facts=False)
    lanes = [job.recipe.model_copy(update={"seed": seed}) for seed in range(_LANES)]
    cohort = Cohort(lanes, job.dataset, share_batches=False)
    cohort.effort = effort
    programs_for.cache_clear()
    jax.clear_caches()
    begun = time.process_time()
    training = Training(cohort, width=_LANES, until=_STEPS)
    compiled = time.process_time() - begun
    started = time.perf_counter()
    training.advance()
    return compiled, time.perf_counter() - started


def main() -> None:
    """Print a row for each net, and the medians over nets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    turns = parser.parse_args().turns
    measure("iris, 16", Effort.FULL)  # what is slow the first time in a process
    ratios: dict[Effort, list[tuple[float, float]]] = {effort: [] for effort in Effort}
    print(f"{'':26}" + "".join(f"{effort.name:>16}" for effort in Effort))
    for name in _NETS:
        taken = [{effort: measure(name, effort) for effort in Effort} for _ in range(turns)]
        middle = {
            effort: [statistics.median(turn[effort][i] for turn in taken) for i in (0, 1)]
            for effort in Effort
        }
        full = middle[Effort.FULL]
        for effort, (compiled, trained) in middle.items():
            ratios[effort].append((compiled / full[0], trained / full[1]))
        shown = "".join(f"{c:9.2f} +{t:5.2f}" for c, t in middle.values())
        print(f"{name:26}{shown}", flush=True)
    medians = {e: [statistics.median(c) for c in zip(*ratios[e], strict=True)] for e in Effort}
    print(
        f"{'ratio to FULL, median':26}"
        + "".join(f"{c:9.2f} ×{t:5.2f}" for c, t in medians.values())
    )
    print("seconds of the processor to compile, and of training; four lanes, 2,000 steps")


if __name__ == "__main__":
    main()
