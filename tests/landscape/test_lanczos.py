"""Eigenvalues against NumPy's and SciPy's, on matrices that are easy and on those that are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator, eigsh

from surefoot.landscape.lanczos import lanczos, spectrum


def _matrix(values, seed=0):
    """Return a symmetric matrix with these eigenvalues."""
    values = np.asarray(values, float)
    generator = np.random.default_rng(seed)
    orthogonal = np.linalg.qr(generator.normal(size=(len(values), len(values))))[0]
    return orthogonal * values @ orthogonal.T


def _spectrum(matrix):
    return spectrum(lambda v: matrix @ v, len(matrix), np.random.default_rng(1))


MATRICES = {
    "one number": [-2.0],
    "two": [-1.0, 3.0],
    "twins": [1.0, 1.0, -2.0, -2.0, 0.0],
    "a bulk and few outside": [*np.linspace(-0.05, 0.05, 290), -1, 2, 3, 5, 8],
    "all but one are 0": [*np.zeros(200), 7.0],
    "far below 1": 1e-12 * np.linspace(-1, 2, 50),
    "all negative": np.linspace(-3, -1, 40),
}


@pytest.mark.parametrize("values", MATRICES.values(), ids=MATRICES)
def test_both_ends_are_found(values):
    found = _spectrum(_matrix(values))
    scale = np.abs(values).max()
    assert found.largest == pytest.approx(max(values), abs=1e-3 * scale)
    assert found.smallest == pytest.approx(min(values), abs=1e-3 * scale)
    assert found.weights.sum() == pytest.approx(1)


def test_the_ends_of_a_smooth_spectrum_equal_those_of_eigsh():
    generator = np.random.default_rng(0)
    raw = generator.normal(size=(600, 600))
    matrix = raw + raw.T  # a semicircle: no gap at its ends
    operator = LinearOperator(matrix.shape, matvec=lambda v: matrix @ v, dtype=float)
    low, high = eigsh(operator, k=2, which="BE", return_eigenvectors=False)
    found = _spectrum(matrix)
    assert found.products <= 64 + 2 * 24
    assert found.smallest == pytest.approx(low, rel=0.01)
    assert found.largest == pytest.approx(high, rel=0.01)


def test_zeros_take_one_product():
    found = _spectrum(np.zeros((30, 30)))
    assert (found.largest, found.smallest, found.products) == (0, 0, 1)


def test_a_ritz_pair_is_within_its_residual():
    matrix = _matrix([*np.linspace(-1, 1, 150), -4.0])
    krylov = lanczos(lambda v: matrix @ v, np.random.default_rng(0).normal(size=151), 20)
    vector = krylov.ritz_vector(0)
    residual = np.linalg.norm(matrix @ vector - krylov.values[0] * vector)
    assert residual == pytest.approx(krylov.residuals[0], rel=1e-6, abs=1e-12)
    assert np.linalg.norm(vector) == pytest.approx(1)


def test_the_density_counts_eigenvalues():
    values = np.concatenate([np.full(60, -1.0), np.zeros(300), np.full(40, 2.0)])
    found = _spectrum(_matrix(values))
    assert found.share(-2, -0.5) == pytest.approx(0.15, abs=0.06)
    assert found.share(-0.5, 0.5) == pytest.approx(0.75, abs=0.06)
    assert found.share(0.5, 3) == pytest.approx(0.10, abs=0.06)


def test_softening_leaves_what_is_flat():
    matrix = np.diag([5.0, -3.0, 0.0, 0.0])
    krylov = lanczos(lambda v: matrix @ v, np.ones(4))
    np.testing.assert_allclose(krylov.soften(np.array([1.0, 2, 3, 4])), [0, 0, 3, 4], atol=1e-9)


def test_what_is_not_finite_ends_it():
    found = spectrum(lambda v: v * np.nan, 5, np.random.default_rng(0))
    assert np.isnan(found.largest)
    assert found.products == 1
