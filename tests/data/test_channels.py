"""Mean and scale of channels against NumPy in float64."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.data.channels import fit_channels


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("some", [False, True])
def test_against_numpy(channels, weighted, some):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (700, 5, 6, channels), dtype=np.uint8)
    rows = np.sort(rng.permutation(700)[:600]) if some else None
    chosen = x if rows is None else x[rows]
    weights = rng.random(len(chosen)) if weighted else None
    fitted = fit_channels(x, rows, weights)
    pixels = chosen.reshape(len(chosen), -1, channels).astype(np.float64)
    w = np.ones(len(chosen)) if weights is None else weights
    mean = np.average(pixels.mean(axis=1), axis=0, weights=w)
    scale = np.sqrt(np.average(((pixels - mean) ** 2).mean(axis=1), axis=0, weights=w))
    np.testing.assert_allclose(fitted.mean, mean, rtol=1e-13)
    np.testing.assert_allclose(fitted.scale, scale, rtol=1e-12)


@pytest.mark.parametrize("value", [0, 1, 200, 255])
def test_a_constant_channel_has_scale_one(value):
    x = np.full((300, 4, 4, 2), value, np.uint8)
    x[..., 1] = np.arange(300)[:, None, None] % 2
    for weights in (None, np.random.default_rng(0).random(300)):
        fitted = fit_channels(x, None, weights)
        assert fitted.scale[0] == 1
        assert fitted.scale[1] == pytest.approx(0.5, rel=0.1)


def test_one_different_pixel_is_seen():
    x = np.full((2000, 32, 32, 1), 255, np.uint8)
    x[1000, 0, 0, 0] = 254
    size = x.size
    expected = np.sqrt(1 / size - 1 / size**2)
    assert fit_channels(x).scale[0] == pytest.approx(expected, rel=1e-3)
