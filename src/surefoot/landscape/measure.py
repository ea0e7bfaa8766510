"""Everything that is measured at one point of the error surface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from surefoot.engine.cohort import Cohort
from surefoot.landscape.baseline import baseline_loss
from surefoot.landscape.hessian import Surface, Vector
from surefoot.landscape.lanczos import FLAT, Krylov, Spectrum, lanczos, spectrum
from surefoot.landscape.trials import Walk, descend, newton, perturb, step_along
from surefoot.vitals.landscape import LANDSCAPE_COLUMNS

# What a point that has learned all its rows has left of a constant prediction's loss.
FITTED = 1e-3
_NEWTON_PRODUCTS = 32
_DESCENT_STEPS = 32
_PERTURBED_STEPS = 100
_PERTURBED_TRIES = 4
# Far enough to leave what is flat to second order, near enough not to leave the neighbourhood.
_PERTURBED_REACH = 0.1
# More than this is to be gained along the gradient: nobody asks what kind of critical point it is.
_FAR_FROM_CRITICAL = 0.05


@dataclass(frozen=True)
class Point:
    """What was measured at one point.

    Attributes:
        numbers: a number, or NaN, for each of `LANDSCAPE_COLUMNS`.
        spectrum: the Hessian's eigenvalues, as far as products tell.
    """

    numbers: Mapping[str, float]
    spectrum: Spectrum


def measure(
    cohort: Cohort,
    params: Any,
    state: Any,
    *,
    lane: int = 0,
    rate: float = float("nan"),
    first_norm: float = float("nan"),
    rows: int = 1024,
    seed: int = 0,
) -> Point:
    """Measure the error surface around a lane's weights.

    It takes at most about 150 Hessian-vector products and, where trials are needed, 1,000 losses
    and gradients, each over the whole sample; in memory 64 vectors as long as the weights.

    Args:
        cohort: what was trained.
        params: the weights, a tree as `LaneResult.params`.
        state: the running averages that go with them.
        lane: which one of the cohort's.
        rate: the run's step as a multiple of the gradient; NaN where it is not known.
        first_norm: the gradient's norm at the run's first step.
        rows: how many training rows to measure on at most.
        seed: of the choice of rows and of all random directions.

    >>> from surefoot.job import prepare
    >>> job = prepare("iris", net="mlp:4", keys={"epochs": 1})
    >>> network = job.cohort.networks[0]
    >>> from surefoot.recipe import numbers
    >>> params, state = network.init(0, numbers(job.recipe.net))
    >>> point = measure(job.cohort, params, state, rate=0.01)
    >>> point.numbers["gradient_norm"] > 0.1, point.numbers["rows"]
    (True, 120.0)
    """
    with jax.enable_x64(cohort.precision == np.float64):
        surface = Surface.of(cohort, params, state, lane=lane, rows=rows, seed=seed)
        return _Measuring(surface, cohort, seed).point(rate, first_norm)


class _Measuring:
    """The measurement of one point, in the order in which one number needs another."""

    def __init__(self, surface: Surface, cohort: Cohort, seed: int) -> None:
        self._surface = surface
        self._cohort = cohort
        self._generator = np.random.default_rng([seed, 1])
        self._theta = np.asarray(surface.start, np.float64)
        self._numbers = dict.fromkeys(LANDSCAPE_COLUMNS, float("nan"))

    def point(self, rate: float, first_norm: float) -> Point:
        numbers, surface, theta = self._numbers, self._surface, self._theta
        self._scales()
        loss, gradient = surface.gradient(theta)
        self._gradient(loss, gradient, first_norm)
        found = spectrum(lambda v: surface.product(theta, v), surface.size, self._generator)
        numbers["products"] = float(found.products)
        if not (np.isfinite(loss) and np.isfinite(gradient).all()):
            return Point(numbers, found)
        self._spectrum(found)
        krylov = self._along_gradient(loss, gradient)
        self._one_step(loss, gradient, rate)
        self._units()
        if np.isfinite(found.extremes.scale):
            steepness = max(found.extremes.scale, 0.0 if krylov is None else krylov.scale)
            self._ways_out(loss, found.extremes, steepness)
        return Point(numbers, found)

    def _scales(self) -> None:
        surface, numbers = self._surface, self._numbers
        sites = self._cohort.blueprint.network.sites
        units = sum(s.shape[-1] for s in sites if s.weights and s.kind in ("dense", "conv"))
        numbers["rows"] = float(surface.rows)
        numbers["training_rows"] = float(surface.training_rows)
        numbers["parameters"] = float(surface.size)
        numbers["weight_norm"] = float(np.linalg.norm(self._theta))
        # LeCun's initialization gives each unit incoming weights of norm 1.
        numbers["unit_scale"] = float(np.sqrt(max(units, 1)))
        numbers["weight_scale"] = max(numbers["weight_norm"], numbers["unit_scale"])
        numbers["baseline_loss"] = baseline_loss(surface.fixed, self._cohort.blueprint.objective)

    def _gradient(self, loss: float, gradient: Vector, first_norm: float) -> None:
        numbers = self._numbers
        norm = float(np.linalg.norm(gradient))
        numbers["loss"] = loss
        numbers["gradient_norm"] = norm
        numbers["gradient_noise"] = self._surface.noise(self._theta)
        numbers["gradient_to_weights"] = _ratio(norm, numbers["weight_norm"])
        numbers["gradient_to_start"] = _ratio(norm, first_norm)
        numbers["zero_gradient_share"] = float(np.mean(gradient == 0))

    def _spectrum(self, found: Spectrum) -> None:
        numbers, extremes = self._numbers, found.extremes
        numbers["largest_eigenvalue"], numbers["smallest_eigenvalue"] = (
            found.largest,
            found.smallest,
        )
        numbers["largest_residual"] = float(extremes.residuals[-1])
        numbers["smallest_residual"] = float(extremes.residuals[0])
        flat = FLAT * extremes.scale
        numbers["negative_share"] = found.share(-np.inf, -flat)
        numbers["flat_share"] = found.share(-flat, np.nextafter(flat, np.inf))

    def _along_gradient(self, loss: float, gradient: Vector) -> Krylov | None:
        """Measure curvature along the gradient, and what a Newton step would gain."""
        numbers, surface, theta = self._numbers, self._surface, self._theta
        numbers["newton_loss"] = loss
        if not gradient.any():
            return None
        krylov = lanczos(lambda v: surface.product(theta, v), gradient, _NEWTON_PRODUCTS, 0.0)
        numbers["products"] += len(krylov.values)
        if not np.isfinite(krylov.scale):
            return None
        # The first entry of T is gᵀHg/‖g‖²; the norm of its first column is ‖Hg‖/‖g‖.
        weights = krylov.weights
        numbers["gradient_curvature"] = float(weights @ krylov.values)
        ratio = float(np.sqrt(weights @ np.square(krylov.values)))
        numbers["hessian_gradient_ratio"] = ratio
        scale = numbers["weight_scale"]
        walk = newton(surface, theta, loss, gradient, krylov, scale)
        numbers["newton_loss"] = walk.loss
        return krylov

    def _one_step(self, loss: float, gradient: Vector, rate: float) -> None:
        """Take the run's own step along the whole sample's gradient."""
        numbers = self._numbers
        numbers["rate"] = rate
        numbers["curvature_to_limit"] = rate * numbers["gradient_curvature"] / 2
        if not np.isfinite(rate):
            return
        there, after = self._surface.gradient(self._theta - rate * gradient)
        numbers["step_loss"] = there if np.isfinite(there) else float("inf")
        turned = _ratio(float(gradient @ after), numbers["gradient_norm"] ** 2)
        numbers["step_curvature_to_limit"] = (1 - turned) / 2
        lengths = numbers["gradient_norm"] * float(np.linalg.norm(after))
        numbers["step_cosine"] = _ratio(float(gradient @ after), lengths)

    def _units(self) -> None:
        """Count dead and saturated units."""
        numbers, network = self._numbers, self._cohort.blueprint.network
        vitals = self._surface.vitals(self._theta)
        saturated = vitals["saturated_share"].mean(axis=0)
        # A dead unit is silent in all parts: the part with the lowest share bounds how many are.
        silent = vitals["inactive_share"].min(axis=0)
        kinds = np.array([site.kind for site in network.sites])
        if network.head is not None:
            numbers["output_saturated_share"] = float(saturated[-1])
        # Where 0 is flat, as for the ReLU, a silent unit is dead; tanh is steepest there.
        numbers["dead_share"] = _largest(silent[:-1][kinds[:-1] == "relu"])
        numbers["saturated_share"] = _largest(saturated[:-1])

    def _ways_out(self, loss: float, extremes: Krylov, steepness: float) -> None:
        """Try to get lower: plainly, along the most negative curvature, and at random."""
        numbers, surface, theta = self._numbers, self._surface, self._theta
        scale, norm = numbers["weight_scale"], numbers["gradient_norm"]
        rate = 1 / steepness if steepness > 0 else (0.01 * scale / norm if norm > 0 else 1.0)
        numbers["descent_steps"] = float(_DESCENT_STEPS)
        plain = descend(surface, theta, _DESCENT_STEPS, rate)
        numbers["descent_loss"] = plain.loss
        if loss <= FITTED * numbers["baseline_loss"]:
            return
        negative = extremes.values[0] < -FLAT * extremes.scale
        if negative:
            out: Walk = step_along(surface, theta, loss, extremes.ritz_vector(0), scale)
            numbers["escape_step"], numbers["escape_loss"] = out.distance, out.loss
            after = descend(surface, out.theta, _DESCENT_STEPS, rate)
            numbers["escape_descent_loss"] = after.loss
        gain = (loss - numbers["newton_loss"]) / loss
        if not negative and gain < _FAR_FROM_CRITICAL:
            numbers["perturbed_loss"] = perturb(
                surface,
                theta,
                extremes,
                self._generator,
                reach=_PERTURBED_REACH * scale,
                rate=rate,
                steps=_PERTURBED_STEPS,
                tries=_PERTURBED_TRIES,
            )


def _ratio(number: float, whole: float) -> float:
    return number / whole if whole > 0 else float("nan")


def _largest(values: Vector) -> float:
    known = values[~np.isnan(values)]
    return float(known.max()) if known.size else float("nan")
