"""Is the kind of a critical point told right? `python -m benchmarks.critical_points`.

Points whose answer is known beforehand (`benchmarks.critical_cases`), each for several seeds:
verdicts that are right, eigenvalues against those of the full Hessian from `jax.hessian`, and
whether the way out of each saddle lowers the loss. Exit code 1 where a figure is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from benchmarks.critical_cases import CASES
from benchmarks.critical_nets import Case
from benchmarks.machine import describe
from surefoot.doctor.plateau import judge
from surefoot.engine.placement import place_lanes
from surefoot.landscape.measure import measure
from surefoot.nn.layer import Context

# Of themselves, for eigenvalues above this share of the largest absolute one; of that one, below.
_TINY = 0.01


def examine(case: Case) -> dict[str, Any]:
    """Measure and judge a case; return what came out, and how far it is from the truth."""
    started = time.perf_counter()
    point = measure(case.cohort, case.params, case.state, rate=case.rate).numbers
    seconds = time.perf_counter() - started
    verdict = judge(point)
    truth = np.linalg.eigvalsh(full_hessian(case))
    escaped = np.fmin(point["escape_descent_loss"], point["perturbed_loss"])
    return {
        "kind": verdict.kind,
        "cause": verdict.cause,
        "right": (verdict.kind, verdict.cause) == (case.kind, case.cause),
        "eigenvalue_error": max(
            eigenvalue_error(point["largest_eigenvalue"], truth[-1], truth),
            eigenvalue_error(point["smallest_eigenvalue"], truth[0], truth),
        ),
        "loss": point["loss"],
        "escaped": float(escaped),
        "products": point["products"],
        "seconds": seconds,
    }


def full_hessian(case: Case) -> np.ndarray:
    """Return the whole Hessian at the case's point: `jax.hessian` of the run's objective."""
    cohort = case.cohort
    recipe, data = cohort.recipes[0], cohort.dataset
    with jax.enable_x64(cohort.precision == np.float64):
        given = jax.tree.map(lambda array: array[0], place_lanes(cohort, 0))
        start, unravel = ravel_pytree(jax.tree.map(jnp.asarray, case.params))
        context = Context(True, None, given.numbers["net"])
        batch = (data.x_train, data.y_train, None)

        def loss(theta: jax.Array) -> jax.Array:
            params = unravel(theta)
            value, _ = cohort.blueprint.objective(params, case.state, batch, context, given.scaling)
            squares = (jnp.sum(p["kernel"] ** 2) for p in params if "kernel" in p)
            return value + recipe.optimizer.weight_decay / 2 * sum(squares)

        return np.asarray(jax.jit(jax.hessian(loss))(start), np.float64)


def eigenvalue_error(found: float, true: float, every: np.ndarray) -> float:
    """Return the error as a share of the eigenvalue; of the largest one where it is tiny."""
    largest = np.abs(every).max()
    if largest == 0:
        return abs(found)
    whole = abs(true) if abs(true) > _TINY * largest else largest
    return float(abs(found - true) / whole)


def main(arguments: Sequence[str] | None = None) -> int:
    """Examine all cases; print a line for each, and the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="of each case")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    results = []
    for make in CASES:
        for seed in range(given.seeds):
            case = make(seed)
            result = {"case": make.__name__, "seed": seed, "answer": case.kind, **examine(case)}
            results.append(result)
            print(
                f"{'right' if result['right'] else 'WRONG'}  {make.__name__} {seed}: "
                f"{result['kind']}, {result['cause']}; eigenvalues off by "
                f"{result['eigenvalue_error']:.1e}; {result['products']:.0f} products, "
                f"{result['seconds']:.1f} s",
                file=sys.stderr,
            )
    saddles = [result for result in results if result["answer"] == "saddle-point"]
    figures = {
        "points": len(results),
        "right": sum(result["right"] for result in results),
        "largest_eigenvalue_error": max(result["eigenvalue_error"] for result in results),
        "saddles": len(saddles),
        "saddles_left": sum(result["escaped"] < 0.99 * result["loss"] for result in saddles),
    }
    if given.json:
        json.dump({"machine": describe(), "figures": figures, "points": results}, sys.stdout)
        print()
    else:
        print(f"verdicts: {figures['right']} of {figures['points']} right")
        print(f"eigenvalues: at most {figures['largest_eigenvalue_error']:.2e} off jax.hessian's")
        print(f"saddles: {figures['saddles_left']} of {figures['saddles']} left for a lower loss")
    met = (
        figures["right"] == figures["points"]
        and figures["largest_eigenvalue_error"] <= 0.01
        and figures["saddles_left"] == figures["saddles"]
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
