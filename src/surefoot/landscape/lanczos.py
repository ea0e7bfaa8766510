"""Extreme eigenvalues of a symmetric matrix that is known by its products alone, by Lanczos.

SciPy's `eigsh` is the library's way, and the tests compare with it. It is not used because the
points that matter here are where it gives up: a matrix of zeros (a deep linear net at the origin)
is its error −9, a matrix of two rows is refused, and what did not converge within the allowed
restarts comes as an exception. Lanczos in forty lines takes at most k products, says how far it
got, and leaves the tridiagonal matrix, from which the density of all eigenvalues follows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Product = Callable[[Vector], Vector]

MOST_PRODUCTS = 64
"""Of the run that looks for the extremes."""

# The extremes are found when their residuals are below this share of the largest absolute
# eigenvalue. An eigenvalue's error is at most its residual, and mostly about its square over the
# gap to the next one: far below 1 %.
_TOLERANCE = 1e-4
# Fewer could stop at an inner eigenvalue that the start happened to favour.
_FEWEST_PRODUCTS = 12
# Below this share of the largest absolute eigenvalue a number is rounding or a flat direction.
FLAT = 1e-3
# Numbers that a basis may hold: 256 MB in float32.
_BASIS_NUMBERS = 64_000_000
_LARGE = 100_000


@dataclass(frozen=True)
class Krylov:
    """What k products tell of a symmetric matrix.

    Attributes:
        basis: orthonormal vectors Q, [k, n]; the first one is the start.
        values: the eigenvalues of T = QHQᵀ (Ritz values), ascending, [k].
        vectors: the eigenvectors of T, a column each, [k, k].
        residuals: ‖Hv − λv‖ of each Ritz pair, [k].
    """

    basis: NDArray[np.floating]
    values: Vector
    vectors: Vector
    residuals: Vector

    @property
    def scale(self) -> float:
        """The largest absolute eigenvalue."""
        return float(np.abs(self.values).max())

    @property
    def weights(self) -> Vector:
        """The share of the start that lies on each Ritz vector; they sum to 1."""
        return np.square(self.vectors[0])

    def ritz_vector(self, index: int) -> Vector:
        """Return an eigenvector's estimate, of length 1, [n]."""
        vector = np.asarray(self.vectors[:, index] @ self.basis, np.float64)
        return vector / np.linalg.norm(vector)

    def soften(self, vector: Vector) -> Vector:
        """Take out of a vector what lies on Ritz vectors of noticeable curvature."""
        steep = self.vectors[:, np.abs(self.values) > FLAT * self.scale]
        ritz = steep.T @ self.basis
        return vector - (ritz @ vector) @ ritz


def lanczos(
    product: Product, start: Vector, most: int = MOST_PRODUCTS, tolerance: float = _TOLERANCE
) -> Krylov:
    """Run Lanczos with full reorthogonalization.

    Args:
        product: v to Hv.
        start: any vector that is not 0, [n]. From a random one both ends of the spectrum are
            found; with probability 1 it has a part in every eigenspace.
        most: how many products may be taken.
        tolerance: stop when both ends' residuals are below this share of the largest absolute
            eigenvalue.

    Source: Golub and Van Loan, *Matrix Computations*, section 10.3; Parlett, *The Symmetric
    Eigenvalue Problem*, section 13 for the bound ‖Hv − λv‖ = β|sₖ|.

    >>> found = lanczos(lambda v: np.array([-1.0, 0.0, 3.0]) * v, np.ones(3))
    >>> [round(float(value), 6) + 0.0 for value in found.values]
    [-1.0, 0.0, 3.0]
    """
    size = start.size
    most = min(most, size, max(_FEWEST_PRODUCTS, _BASIS_NUMBERS // size))
    basis = np.zeros((most, size), np.float64 if size <= _LARGE else np.float32)
    alphas, betas = np.zeros(most), np.zeros(most)
    vector = start / np.linalg.norm(start)
    for k in range(most):
        basis[k] = vector
        # Rounding, and a direction that an earlier step should have taken out, cannot grow:
        # each new vector is made orthogonal to all of them, twice.
        new = product(vector)
        alphas[k] = new @ vector
        for _ in range(2):
            new = new - (basis[: k + 1] @ new) @ basis[: k + 1]
        betas[k] = np.linalg.norm(new)
        values, vectors = _tridiagonal(alphas[: k + 1], betas[:k])
        residuals = betas[k] * np.abs(vectors[-1])
        scale = np.abs(values).max()
        if not np.isfinite(scale) or betas[k] <= 1e-6 * scale:
            break  # the start's whole subspace is known
        if k + 1 >= _FEWEST_PRODUCTS and residuals[[0, -1]].max() <= tolerance * scale:
            break
        vector = new / betas[k]
    return Krylov(basis[: k + 1], values, vectors, residuals)


def _tridiagonal(alphas: Vector, betas: Vector) -> tuple[Vector, Vector]:
    if not (np.isfinite(alphas).all() and np.isfinite(betas).all()):
        return np.full(len(alphas), np.nan), np.full((len(alphas), len(alphas)), np.nan)
    return np.linalg.eigh(np.diag(alphas) + np.diag(betas, 1) + np.diag(betas, -1))


@dataclass(frozen=True)
class Spectrum:
    """The eigenvalues of a Hessian, as far as products tell.

    Attributes:
        extremes: the run that found the ends.
        nodes: where eigenvalues lie, ascending.
        weights: which share of all eigenvalues each node stands for; they sum to 1.
        products: how many products were taken.
    """

    extremes: Krylov
    nodes: Vector
    weights: Vector
    products: int

    @property
    def largest(self) -> float:
        """The largest eigenvalue."""
        return float(self.extremes.values[-1])

    @property
    def smallest(self) -> float:
        """The smallest eigenvalue, the most negative one where any is."""
        return float(self.extremes.values[0])

    def share(self, low: float, high: float) -> float:
        """Return the share of eigenvalues from ``low`` on and below ``high``."""
        return float(self.weights[(self.nodes >= low) & (self.nodes < high)].sum())


def spectrum(
    product: Product,
    size: int,
    generator: np.random.Generator,
    most: int = MOST_PRODUCTS,
    probes: int = 2,
    probe_products: int = 24,
) -> Spectrum:
    """Return the ends of the spectrum, and its density by stochastic Lanczos quadrature.

    Each run from a random start gives Ritz values λᵢ with weights (sᵢ)₁², the Gauss quadrature of
    the density; the mean over starts is its estimate.

    Args:
        product: v to Hv.
        size: n.
        generator: of the starts.
        most: products of the run that looks for the ends.
        probes: how many further runs refine the density.
        probe_products: of each of them.

    Source: Ubaru, Chen and Saad 2017, *Fast estimation of tr(f(A)) via stochastic Lanczos
    quadrature*; Ghorbani, Krishnan and Xiao 2019 for its use on Hessians of networks.

    >>> matrix = np.diag([-1.0, 0.0, 0.0, 4.0])
    >>> found = spectrum(lambda v: matrix @ v, 4, np.random.default_rng(0))
    >>> round(found.largest, 6), round(found.smallest, 6)
    (4.0, -1.0)
    """
    first = lanczos(product, generator.standard_normal(size), most)
    runs = [first]
    if np.isfinite(first.scale) and first.scale > 0:
        for _ in range(probes):
            runs.append(lanczos(product, generator.standard_normal(size), probe_products))
    nodes = np.concatenate([run.values for run in runs])
    weights = np.concatenate([run.weights for run in runs]) / len(runs)
    order = np.argsort(nodes)
    products = sum(len(run.values) for run in runs)
    return Spectrum(first, nodes[order], weights[order], products)
