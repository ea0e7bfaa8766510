"""Steps on the error surface that are tried: descent, Newton, and ways out of a saddle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.landscape.hessian import Surface, Vector
from surefoot.landscape.lanczos import FLAT, Krylov

# Losses closer than this share are equal in the arithmetic at hand.
_ROUNDING = 8.0
# The share of the decrease that the slope promises which a step of descent must bring (Armijo).
_ARMIJO = 0.1
_MOST_CUTS = 16
# A step along a line doubles from 2⁻¹² of the weights' scale up to the whole of it.
_DOUBLINGS = 12
# How far a Newton step may go along directions whose curvature promises no minimum.
_TRUST = 0.1


@dataclass(frozen=True)
class Walk:
    """Where steps led.

    Attributes:
        theta: the weights there.
        loss: the loss there.
        distance: of the step that led there, where it was one step.
    """

    theta: Vector
    loss: float
    distance: float = 0.0


def descend(surface: Surface, theta: Vector, steps: int, rate: float) -> Walk:
    """Take steps of plain gradient descent whose length adapts, so that each lowers the loss.

    A step that brings less than a tenth of what the slope promises is cut to a quarter and tried
    again; one that is taken doubles the rate of the next (backtracking: Nocedal and Wright 2006,
    algorithm 3.1).

    Args:
        surface: L.
        theta: where to start.
        steps: how many to take at most.
        rate: the first step's, as a multiple of the gradient.
    """
    loss, gradient = surface.gradient(theta)
    for _ in range(steps):
        square = float(gradient @ gradient)
        if not (np.isfinite(square) and square > 0):
            break
        for _ in range(_MOST_CUTS):
            moved = theta - rate * gradient
            if surface.loss(moved) <= loss - _ARMIJO * rate * square:
                break
            rate /= 4
        else:
            break  # what is left to gain is below rounding
        theta = moved
        loss, gradient = surface.gradient(theta)
        rate *= 2
    return Walk(theta, loss)


def step_along(surface: Surface, theta: Vector, loss: float, v: Vector, reach: float) -> Walk:
    """Step along ±v for as long as the loss falls; return the best place.

    Steps double from reach/4096 to reach. A direction in which the loss rises first is left: what
    lies behind a wall is not a way down from here.
    """
    best = Walk(theta, loss)
    equal = _ROUNDING * np.finfo(surface.start.dtype).eps * abs(loss)
    for sign in (1.0, -1.0):
        lowest = loss
        for k in range(_DOUBLINGS, -1, -1):
            distance = reach * 2.0**-k
            moved = theta + sign * distance * v
            there = surface.loss(moved)
            if not there <= lowest + equal:
                break
            lowest = min(lowest, there)
            if there < best.loss:
                best = Walk(moved, there, distance)
    return best


def newton(
    surface: Surface, theta: Vector, loss: float, gradient: Vector, krylov: Krylov, scale: float
) -> Walk:
    """Step to where the quadratic model of the gradient's Krylov space has its minimum.

    p = −Σ (gᵀvᵢ/|λᵢ|) vᵢ over the Ritz pairs of Lanczos from g: Newton's step with |H| (Dauphin
    and others 2014, *Identifying and attacking the saddle point problem*). Where λᵢ is negative or
    nearly 0 the model has no minimum, and the step there is at most a tenth of the weights' scale.
    The lowest loss on the way, at p, p/4, p/16, …, is what counts: what is to be gained from
    *this* gradient, however ill-conditioned the surface is.

    Args:
        surface: L.
        theta: the point.
        loss: L there.
        gradient: g there.
        krylov: Lanczos on H from g.
        scale: of the weights.
    """
    parts = krylov.vectors[0] * np.linalg.norm(gradient)
    most = _TRUST * scale
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.where(parts == 0, 0.0, parts / np.abs(krylov.values))
    bounded = np.clip(steps, -most, most)
    steps = np.where(krylov.values > FLAT * krylov.scale, steps, bounded)
    step = -np.asarray((krylov.vectors @ steps) @ krylov.basis, np.float64)
    best = Walk(theta, loss)
    for k in range(10):
        moved = theta + step * 4.0**-k
        there = surface.loss(moved)
        if there < best.loss:
            best = Walk(moved, there)
    return best


def perturb(
    surface: Surface,
    theta: Vector,
    krylov: Krylov,
    generator: np.random.Generator,
    *,
    reach: float,
    rate: float,
    steps: int,
    tries: int,
) -> float:
    """Return the lowest loss that descent finds from random places near by.

    Each place is at distance ``reach`` along directions in which the surface is flat to second
    order: random, without what lies on the steep Ritz vectors. It decides where the Hessian does
    not, at a saddle of higher order such as the origin of a deep linear net. Perturbed descent is
    Jin and others 2017, *How to escape saddle points efficiently*.
    """
    lowest = float("inf")
    for _ in range(tries):
        direction = krylov.soften(generator.standard_normal(theta.size))
        length = np.linalg.norm(direction)
        if not length > 1e-6 * np.sqrt(theta.size):
            break  # no direction is flat
        start = theta + reach / length * direction
        lowest = min(lowest, descend(surface, start, steps, rate).loss)
    return lowest
