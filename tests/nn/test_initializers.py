"""Moments, orthogonality and what an initializer does to a deep net."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from scipy import stats

from surefoot.errors import InputError
from surefoot.nn.initializers import INITIALIZERS, fixup_scale, initialize

DENSE = (500, 200)  # 1e5 weights
CONV = (5, 5, 40, 100)  # 1e5 weights
VARIANCE = {
    "lecun": lambda n_in, n_out: 1 / n_in,
    "glorot": lambda n_in, n_out: 2 / (n_in + n_out),
    "he": lambda n_in, n_out: 2 / n_in,
}


def rng(seed):
    return np.random.default_rng(seed)


def has_moments(draws, mean, variance):
    assert abs(np.mean(draws, dtype=np.float64) - mean) < 0.02 * variance**0.5
    assert abs(np.var(draws, dtype=np.float64) / variance - 1) < 0.02


@pytest.mark.parametrize(("shape", "fans"), [(DENSE, (500, 200)), (CONV, (1000, 2500))])
@pytest.mark.parametrize("form", ["normal", "uniform"])
@pytest.mark.parametrize("family", VARIANCE)
def test_scaled_moments(family, form, shape, fans):
    gain = 1.5
    draws = initialize(f"{family}_{form}", rng(1), shape, {"gain": gain})
    variance = VARIANCE[family](*fans) * gain**2
    has_moments(draws, 0.0, variance)
    sample = draws.ravel()[:5000] / variance**0.5
    other = stats.norm() if form == "normal" else stats.uniform(-(3**0.5), 2 * 3**0.5)
    assert stats.kstest(sample, other.cdf).pvalue > 0.001


@pytest.mark.parametrize(
    ("name", "numbers", "law"),
    [
        ("normal", {}, stats.norm(0, 0.05)),
        ("normal", {"mean": 0.3, "stddev": 2.0}, stats.norm(0.3, 2.0)),
        ("uniform", {}, stats.uniform(-0.05, 0.1)),
        ("uniform", {"low": 1.0, "high": 3.0}, stats.uniform(1, 2)),
        ("truncated_normal", {}, stats.truncnorm(-2, 2, 0, 0.05)),
        ("truncated_normal", {"mean": 1.0, "stddev": 0.5}, stats.truncnorm(-2, 2, 1, 0.5)),
    ],
)
def test_plain_moments(name, numbers, law):
    draws = initialize(name, rng(2), (100_000,), numbers)
    has_moments(draws, law.mean(), law.var())
    assert stats.kstest(draws[:5000], law.cdf).pvalue > 0.001


def test_same_values():
    assert not initialize("zeros", rng(0), (2, 3), {}).any()
    assert (initialize("ones", rng(0), (2, 3), {}) == 1).all()
    assert (initialize("constant", rng(0), (3,), {"value": 0.25}) == 0.25).all()


@pytest.mark.parametrize("shape", [(40, 12), (12, 40), (16, 16), (3, 3, 4, 8), (1, 1, 4, 9)])
def test_orthogonal(shape):
    weight = initialize("orthogonal", rng(0), shape, {"gain": 2.0}, np.float64)
    matrix = weight.reshape(-1, shape[-1]) / 2.0
    small = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    np.testing.assert_allclose(small @ small.T, np.eye(len(small)), atol=1e-6)


def test_orthogonal_does_not_prefer_a_direction():
    generator = rng(0)
    draws = [initialize("orthogonal", generator, (3, 3), {}, np.float64) for _ in range(2000)]
    # Uniform over the orthogonal group: every entry has mean 0 and variance 1/n.
    np.testing.assert_allclose(np.mean(draws, axis=0), 0, atol=0.06)
    np.testing.assert_allclose(np.var(draws, axis=0), 1 / 3, rtol=0.1)


@pytest.mark.parametrize("size", [3, 2])
def test_delta_orthogonal_keeps_the_norm_through_a_convolution(size, x64):
    shape = (size, size, 4, 6)
    weight = initialize("delta_orthogonal", rng(0), shape, {}, np.float64)
    image = rng(1).normal(size=(2, 5, 7, 4))
    out = jax.lax.conv_general_dilated(
        image, weight, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    # At every place, hence over the picture: only the centre tap is not zero.
    np.testing.assert_allclose(
        np.linalg.norm(out, axis=-1), np.linalg.norm(image, axis=-1), rtol=1e-10
    )


def test_delta_orthogonal_on_a_dense_weight_is_orthogonal():
    weight = initialize("delta_orthogonal", rng(0), (7, 3), {}, np.float64)
    np.testing.assert_allclose(weight.T @ weight, np.eye(3), atol=1e-12)


def test_identity_matches_pytorch():
    dense = initialize("identity", rng(0), (3, 5), {})
    np.testing.assert_array_equal(dense, torch.nn.init.eye_(torch.empty(3, 5)).numpy())
    conv = initialize("identity", rng(0), (3, 3, 2, 4), {"gain": 0.5})
    expected = torch.nn.init.dirac_(torch.empty(4, 2, 3, 3)).numpy().transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(conv, 0.5 * expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", INITIALIZERS)
def test_shape_type_and_generator(name, dtype):
    numbers = {key: np.float64(value) for key, value in INITIALIZERS[name].defaults.items()}
    for shape in ((3, 5), (3, 3, 2, 4)):
        draws = [initialize(name, rng(seed), shape, numbers, dtype) for seed in (1, 1, 2)]
        assert isinstance(draws[0], np.ndarray)
        assert (draws[0].dtype, draws[0].shape) == (dtype, shape)
        np.testing.assert_array_equal(draws[0], draws[1])
        fixed = name in ("zeros", "ones", "constant", "identity")
        assert np.array_equal(draws[0], draws[2]) == fixed


@pytest.mark.parametrize("name", INITIALIZERS)
def test_a_scale_beyond_the_type_is_not_finite_and_no_warning(name):
    numbers = dict.fromkeys(INITIALIZERS[name].defaults, 1e300)
    values = initialize(name, rng(0), (2, 4), numbers)
    assert np.isfinite(values).all() == (not numbers)


def variance_kept(name, numbers, width=256, depth=50, nets=12):
    """Return the mean over nets of last over first pre-activation variance, a plain ReLU net."""
    kept = []
    for net in range(nets):
        generator = rng(net)
        x = generator.normal(size=(8, width)).astype(np.float32)
        weights = [initialize(name, generator, (width, width), numbers) for _ in range(depth)]
        z = x @ weights[0]
        first = z.var(dtype=np.float64)
        for weight in weights[1:]:
            z = np.maximum(z, 0) @ weight
        kept.append(z.var(dtype=np.float64) / first)
    return np.mean(kept)


def test_fifty_relu_layers_keep_their_variance_under_he():
    # Over one net of finite width the ratio scatters (log-variance about 5 · depth / width); it is
    # its mean over the draws of the weights that He's rule keeps at 1.
    assert 0.5 < variance_kept("he_normal", {}) < 2


def test_fifty_relu_layers_lose_their_variance_under_a_small_gaussian():
    assert variance_kept("normal", {"stddev": 0.01}, nets=1) < 1e-30  # float32 underflows to 0


@pytest.mark.parametrize(
    ("name", "alike"), [("zeros", True), ("constant", True), ("he_normal", False)]
)
def test_equal_weights_get_equal_gradients(name, alike):
    numbers = {"value": 0.3} if name == "constant" else {}
    generator = rng(0)
    weights = [initialize(name, generator, shape, numbers) for shape in ((4, 6), (6, 1))]
    x = rng(9).normal(size=(16, 4)).astype(np.float32)
    y = np.sin(x[:, :1])

    @jax.jit
    @jax.grad
    def gradient_of(weights):
        return jnp.mean((jax.nn.sigmoid(x @ weights[0]) @ weights[1] - y) ** 2)

    for _ in range(3):  # and so they stay equal
        gradient = gradient_of(weights)
        weights = [w - g for w, g in zip(weights, gradient, strict=True)]
        first = gradient[0]
        assert np.allclose(first, first[:, :1], rtol=1e-4, atol=1e-7) == alike
        assert np.allclose(gradient[1], gradient[1][:1], rtol=1e-4, atol=1e-7) == alike
    assert np.abs(gradient[1]).max() > 1e-4  # not because nothing moves


def test_fixup_scale():
    assert fixup_scale(100, 2) == pytest.approx(0.1)
    assert fixup_scale(16, 3) == pytest.approx(0.5)
    with pytest.raises(InputError, match="2 weight layers"):
        fixup_scale(4, 1)


@pytest.mark.parametrize(
    ("name", "shape", "numbers", "message"),
    [
        ("he_norml", (2, 2), {}, "did you mean 'he_normal'"),
        ("normal", (2, 2), {"std": 1.0}, "has no 'std'.*did you mean 'stddev'"),
        ("zeros", (2, 2), {"gain": 1.0}, "no numbers"),
        ("he_normal", (10,), {}, r"not the shape \(10,\)"),
        ("orthogonal", (10,), {}, "start a bias with zeros"),
        ("delta_orthogonal", (3, 3, 8, 4), {}, "not 8 to 4"),
    ],
)
def test_refusals(name, shape, numbers, message):
    with pytest.raises(InputError, match=message) as caught:
        initialize(name, rng(0), shape, numbers)
    assert "\n" not in str(caught.value)
