"""Nets, data and weights from which the points of `benchmarks.critical_cases` are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.optimize import minimize

from surefoot.data import load
from surefoot.engine.cohort import Cohort
from surefoot.landscape.hessian import Surface
from surefoot.recipe import Recipe, numbers

Tree = Any


@dataclass(frozen=True)
class Case:
    """A point with its answer.

    Attributes:
        kind: what it is.
        cause: and why, where the verdict is to name it.
        cohort: the net and the data.
        params: the weights.
        state: the running averages.
        rate: of the step that is taken there.
    """

    kind: str
    cause: str | None
    cohort: Cohort
    params: Tree
    state: Tree
    rate: float = 0.01


def net_of(
    *sizes: int, hidden: str = "identity", bias: bool = True, out: str | None = None
) -> list:
    layers = []
    for i, size in enumerate(sizes):
        layers.append({"dense": size, "bias": bias})
        if i < len(sizes) - 1 and hidden != "identity":
            layers.append({"activation": hidden})
    return [*layers, *([{"activation": out}] if out else [])]


def cohort_of(
    x: Any, y: Any, layers: list, loss: str = "mean_squared_error", **keys: Any
) -> tuple[Cohort, Tree, Tree]:
    """Return a cohort of one lane in float64, and its first weights."""
    tables: dict[str, Any] = {
        "data": {"validation": 0, "standardize": False},
        "net": {"layers": layers, "initializer": "lecun_normal"},
        "train": {"loss": loss, "precision": "float64", "batch_size": "full"},
        "optimizer": {"name": "sgd", "learning_rate": 0.01, **keys},
    }
    recipe = Recipe.parse(tables)
    task = "classification" if "entropy" in loss else None
    dataset = load(recipe.data, arrays=(x, y), task=task, dtype=np.float64)
    cohort = Cohort([recipe], dataset)
    params, state = cohort.networks[0].init(0, numbers(recipe.net), np.float64)
    return cohort, params, state


def scaled(params: Tree, factor: float) -> Tree:
    return jax.tree.map(lambda a: a * factor, params)


def with_last(params: Tree, kernel: Any = None, bias: Any = None) -> Tree:
    """Return the weights with another last dense layer."""
    index = max(i for i, layer in enumerate(params) if "kernel" in layer)
    changed = {"kernel": kernel, "bias": bias}
    new = {name: np.asarray(a) for name, a in changed.items() if a is not None}
    return [*params[:index], {**params[index], **new}, *params[index + 1 :]]


def solved(cohort: Cohort, params: Tree, state: Tree, tolerance: float = 1e-9) -> Tree:
    """Return the nearest minimum, by SciPy's BFGS."""
    with jax.enable_x64(True):
        surface = Surface.of(cohort, params, state)
        found = minimize(
            surface.gradient,
            surface.start,
            jac=True,
            method="BFGS",
            options={"gtol": tolerance, "maxiter": 3000},
        )
        return jax.tree.map(np.asarray, ravel_pytree(params)[1](found.x))


def regression(seed: int, features: int = 4, noise: float = 0.5, rows: int = 64) -> tuple:
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((rows, features))
    x -= x.mean(0)
    y = x @ generator.standard_normal((features, 2)) + noise * generator.standard_normal((rows, 2))
    return x, y - y.mean(0)


def classes(seed: int, rows: int = 60, apart: float = 1.0) -> tuple:
    generator = np.random.default_rng(seed)
    y = np.arange(rows) % 3
    return generator.standard_normal((rows, 4)) + apart * np.eye(4)[y], y


def xor() -> tuple:
    x = np.array([[-1.0, -1], [-1, 1], [1, -1], [1, 1]] * 4)
    return x, (x[:, 0] * x[:, 1] < 0).astype(np.int64)


def bowl_of(seed: int, condition: float) -> tuple[Cohort, Tree, Tree, Any, Any]:
    """Return linear regression without noise whose Hessian is diag(1, 1/condition) but for scale.

    Beside it the solution, and the largest eigenvalue of the mean squared error's Hessian.
    """
    generator = np.random.default_rng(seed)
    orthogonal = np.linalg.qr(generator.standard_normal((64, 2)))[0] * np.sqrt(64)
    x = orthogonal * np.array([1.0, condition**-0.5])
    true = generator.standard_normal((2, 1)) + 2
    y = x @ true + 0.05 * generator.standard_normal((64, 1))
    cohort, params, state = cohort_of(x, y, net_of(1, bias=False))
    return cohort, params, state, np.linalg.lstsq(x, y)[0], 2.0
