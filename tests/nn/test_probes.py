"""Vital signs of nets whose activations and gradients are known exactly."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from surefoot.nn.probes import (
    BACKWARD,
    FORWARD,
    WEIGHT,
    measure_norm,
    measure_output,
    measure_weight,
    probe,
)

EYE = {"initializer": "identity"}
X = np.array([[1.0, -1.0, 2.0, 0.0], [3.0, -2.0, -2.0, 0.0]], np.float32)
C = np.array([[1.0, 10.0, -2.0, 5.0], [-3.0, 10.0, 4.0, 0.0]], np.float32)
RATE = 0.1


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


def measure(net, x, c, rate=RATE):
    """Return {site: {column: value}} for the mean over rows of Σ c · y and one SGD update."""

    def loss(params, probes):
        y, _, vitals = net.apply(x, params, probes=probes)
        return jnp.sum(c * y) / len(x), vitals

    @jax.jit
    def step(params):
        (_, forward), (grads, backward) = jax.value_and_grad(loss, (0, 1), has_aux=True)(
            params, net.network.no_probes()
        )
        updates = jax.tree.map(lambda g: -rate * g, grads)
        trees = (params, grads, updates)
        return forward, backward, net.network.measure_weights(trees, measure_weight, len(WEIGHT))

    forward, backward, weights = map(np.asarray, step(net.params))
    # Each measurement counts what is not finite; here the forward pass's count is kept.
    parts = ((WEIGHT, weights), (BACKWARD, backward), (FORWARD, forward))
    return {
        site.name: {
            name: float(rows[i, j]) for names, rows in parts for j, name in enumerate(names)
        }
        for i, site in enumerate(net.network.sites)
    }


def has(row, **expected):
    for column, value in expected.items():
        assert row[column] == pytest.approx(value, rel=1e-6, nan_ok=True), column


def test_identity_weights(make):
    layers = [{"dense": 4, **EYE}, {"activation": "relu"}, {"dense": 4, **EYE}]
    vitals = measure(make(layers, (4,)), X, C)
    # The first layer hands on its input. Of 8 numbers 2 are zero, the last unit on every row.
    has(
        vitals["1"],
        activation_mean=1 / 8,
        activation_std=np.std(X),
        zero_share=2 / 8,
        inactive_share=1 / 4,
        saturated_share=np.nan,
        activation_max=3,
        nonfinite=0,
    )
    # ReLU leaves 1, 2 and 3; two units are zero on the whole batch, one on a row only.
    positive = np.maximum(X, 0)
    has(
        vitals["2"],
        activation_mean=6 / 8,
        activation_std=np.std(positive),
        zero_share=5 / 8,
        inactive_share=2 / 4,
        activation_max=3,
    )
    # The signal of one example's loss is c; ReLU stops it where its input is not positive.
    masked = C * (X > 0)
    has(vitals["3"], signal_rms=rms(C), signal_max=10)
    has(vitals["2"], signal_rms=rms(C), signal_max=10)
    has(vitals["1"], signal_rms=rms(masked), signal_max=3)
    # ∂L/∂W = xᵀg / 2 rows, W = I: 4 ones among 16 numbers.
    for name, below, signal in (("1", X, masked), ("3", positive, C)):
        gradient = below.T @ signal / 2
        has(
            vitals[name],
            gradient_rms=rms(gradient),
            gradient_max=np.abs(gradient).max(),
            weight_rms=0.5,
            update_rms=RATE * rms(gradient),
            update_ratio=RATE * rms(gradient) / 0.5,
            unit_spread=3 / 4,  # each of 4 inputs goes to one of 4 units: 1 − 4·1²/(4·4)
        )
    has(vitals["2"], **dict.fromkeys(WEIGHT[:-1], np.nan))


def test_zero_weights(make):
    layers = [{"dense": 5}, {"activation": "relu"}, {"dense": 4}]
    vitals = measure(make(layers, (4,), initializer="zeros"), X, C)
    for row in vitals.values():
        has(row, activation_mean=0, activation_std=0, zero_share=1, inactive_share=1)
    has(vitals["1"], signal_rms=0, gradient_rms=0, weight_rms=0, update_ratio=0)
    has(vitals["3"], signal_rms=rms(C), gradient_rms=0, unit_spread=0)


@pytest.mark.parametrize(
    ("activation", "saturated"),
    [("tanh", 6 / 8), ("sigmoid", 6 / 8), ("relu", np.nan), ("elu", 3 / 8), ("softmax", 1.0)],
)
def test_saturated_share(activation, saturated, make):
    # A gain of 50 brings all but the two zeros far into the flat parts; ELU has only the left one.
    dense = {"dense": 4, "initializer": {"name": "identity", "gain": 50.0}}
    layers = [dense, {"activation": activation}, {"activation": "identity"}]
    vitals = measure(make(layers, (4,)), X, C)
    has(vitals["2"], saturated_share=saturated)


def test_a_channel_is_the_unit_of_pictures(make):
    layers = [{"conv": 3, "size": 1, **EYE}, {"activation": "relu"}, {"flatten": {}}]
    x = -np.ones((2, 2, 2, 3), np.float32)
    x[1, 0, 1, 0] = 1  # active at one place of one picture; the second channel nowhere
    x[1, ..., 2] = 1  # active on one picture
    vitals = measure(make(layers, (2, 2, 3)), x, np.ones((2, 12), np.float32))
    has(vitals["2"], zero_share=19 / 24, inactive_share=1 / 3, signal_rms=1)


@pytest.mark.parametrize("head", ["softmax", "sigmoid"])
def test_the_heads_row_is_its_outputs(head, make):
    net = make([{"dense": 4, **EYE}, {"activation": head}], (4,))
    vitals = measure(net, X, C)
    y = np.asarray(jax.nn.softmax(X) if head == "softmax" else jax.nn.sigmoid(X))
    has(vitals["2"], activation_mean=y.mean(), activation_max=y.max(), zero_share=0)
    has(vitals["2"], **dict.fromkeys(WEIGHT[:-1], np.nan))
    # The loss takes the head over, so no signal passes here; the engine writes NaN for it.
    has(vitals["2"], **dict.fromkeys(BACKWARD[:2], 0))
    has(vitals["1"], signal_rms=rms(C))


def test_what_is_not_finite_is_counted(make):
    layers = [{"dense": 4, **EYE}, {"activation": "exponential"}]
    x = np.where(X == 3, 1000.0, X).astype(np.float32)  # e¹⁰⁰⁰ is infinite in float32
    net = make(layers, (4,))
    vitals = measure(net, x, np.ones_like(C))
    has(vitals["1"], nonfinite=0, activation_max=1000)
    has(vitals["2"], nonfinite=1, activation_max=np.inf)


def test_sites_are_in_order_with_names_kinds_and_weights(make):
    layers = [
        {"conv": 2},
        {"batch_norm": {}},
        {"activation": "prelu"},
        {"max_pool": 2},
        {"residual": [{"conv": 3, "size": 1}, {"dropout": 0.5}]},
        {"repeat": 2, "layers": [{"activation": "tanh"}, {"conv": 3, "bias": False}]},
        {"flatten": {}},
        {"dense": "classes"},
        {"activation": "softmax"},
    ]
    net = make(layers, (4, 4, 1), outputs=5)
    assert [(s.name, s.kind, s.shape, s.weights) for s in net.network.sites] == [
        ("1", "conv", (4, 4, 2), 18),
        ("2", "batch_norm", (4, 4, 2), 2),
        ("3", "prelu", (4, 4, 2), 1),
        ("5.1", "conv", (2, 2, 3), 6),
        ("5", "residual", (2, 2, 3), 6),
        ("6[1].1", "tanh", (2, 2, 3), 0),
        ("6[1].2", "conv", (2, 2, 3), 81),
        ("6[2].1", "tanh", (2, 2, 3), 0),
        ("6[2].2", "conv", (2, 2, 3), 81),
        ("8", "dense", (5,), 60),
        ("9", "softmax", (5,), 0),
    ]


def test_rows_belong_to_their_sites(make):
    # Each weight layer multiplies by its own number, so each row says whose it is.
    def times(gain):
        return {"dense": 2, "bias": False, "initializer": {"name": "identity", "gain": gain}}

    layers = [
        times(2.0),
        {"residual": [times(3.0), {"dropout": 0.5}]},
        {"flatten": {}},
        {"repeat": 2, "layers": [times(5.0)]},
        times(7.0),
    ]
    x = np.ones((3, 2), np.float32)
    vitals = measure(make(layers, (2,)), x, np.ones((3, 2), np.float32))
    outputs = {"1": 2, "2.1": 6, "2": 8, "4[1].1": 40, "4[2].1": 200, "5": 1400}
    signals = {"5": 1, "4[2].1": 7, "4[1].1": 35, "2": 175, "2.1": 175, "1": 4 * 175}
    gains = {"1": 2, "2.1": 3, "2": np.nan, "4[1].1": 5, "4[2].1": 5, "5": 7}
    assert list(vitals) == list(outputs)
    for name, row in vitals.items():
        weight_rms = gains[name] / 2**0.5  # two of four weights are not zero
        has(
            row,
            activation_mean=outputs[name],
            signal_rms=signals[name],
            signal_max=signals[name],
            weight_rms=weight_rms,
        )


def test_signals_do_not_shrink_when_batches_grow(make):
    net = make([{"dense": 4, **EYE}], (4,))
    one, four = (measure(net, np.tile(X, (n, 1)), np.tile(C, (n, 1)))["1"] for n in (1, 4))
    assert one["signal_rms"] == pytest.approx(four["signal_rms"])
    assert one["gradient_rms"] == pytest.approx(four["gradient_rms"])


def test_a_whole_net_computes_the_same_with_and_without_probes(make, x64):
    layers = [
        *[{"conv": 2}, {"batch_norm": {}}, {"activation": "elu"}, {"max_pool": 2}],
        {"residual": [{"conv": 3, "stride": 2}]},
        {"global_average_pool": {}},
        *[{"dense": "classes"}, {"activation": "softmax"}],
    ]
    net = make(layers, (6, 6, 1), dtype=np.float64)
    x = np.random.default_rng(0).normal(size=(4, 6, 6, 1))

    @jax.jit
    def step(params, probes):
        def loss(params):
            y, state, _ = net.apply(x, params, probes=probes)
            return jnp.sum(jax.nn.log_softmax(y)[:, 0]), (y, state)

        return jax.value_and_grad(loss, has_aux=True)(params)

    plain, probed = step(net.params, None), step(net.params, net.network.no_probes())
    for a, b in zip(jax.tree.leaves(plain), jax.tree.leaves(probed), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12 * np.abs(b).max())


def test_a_probe_is_reverse_mode_alone_and_the_plain_pass_has_none(make):
    net = make([{"dense": 4}, {"activation": "relu"}], (4,))
    y, slope = jax.jvp(lambda x: net.apply(x)[0], (X,), (X,))
    np.testing.assert_allclose(slope, y, rtol=1e-6)  # the net is positively homogeneous
    assert "custom_vjp" not in str(jax.make_jaxpr(lambda x: net.apply(x)[0])(X))
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(lambda x: net.apply(x, probes=net.network.no_probes())[0], (X,), (X,))


def test_a_probes_gradient_is_the_signals_statistics_in_every_lane():
    signal = jnp.asarray(C).at[0, 0].set(jnp.nan)

    def statistics(signal):
        return jax.grad(lambda dummy: jnp.sum(signal * probe(jnp.ones((2, 4)), dummy)))(
            jnp.zeros(3)
        )

    lanes = jax.vmap(statistics)(jnp.stack([C, 2 * C, signal]))
    np.testing.assert_allclose(lanes[0], [2 * rms(C), 20, 0], rtol=1e-6)
    np.testing.assert_allclose(lanes[1], 2 * lanes[0], rtol=1e-6)
    assert np.isnan(lanes[2][:2]).all()
    assert lanes[2][2] == 1


@pytest.mark.parametrize(
    ("weight", "spread"),
    [
        ([[1.0, 1.0, 1.0], [-2.0, -2.0, -2.0]], 0),  # alike
        ([[0.1] * 7] * 11, 0),  # alike, with sums that are rounded
        ([[1.0, -1.0], [2.0, -2.0]], 1),  # opposite: nothing lies in their mean
        ([[3.0, 4.0]], 1 - 49 / 50),
        ([[1.0, 2.0], [0.0, 2.0]], 1 - (9 + 4) / (2 * 9)),
        # Two filters of 1×2 places: as a dense layer with two inputs.
        ([[[[1.0, 2.0]], [[0.0, 2.0]]]], 1 - (9 + 4) / (2 * 9)),
        ([[0.0, 0.0]], 0),
        ([[1.0], [2.0]], np.nan),  # one unit
        ([1.0, 2.0], np.nan),  # normalization's scale
        (0.25, np.nan),  # PReLU's slope
    ],
)
def test_unit_spread(weight, spread):
    weight = jnp.asarray(weight)
    row = measure_weight(weight, jnp.ones_like(weight), jnp.ones_like(weight))
    assert row[WEIGHT.index("unit_spread")] == pytest.approx(spread, abs=1e-6, nan_ok=True)
    assert not row[WEIGHT.index("unit_spread")] < 0


def test_random_units_differ(make):
    net = make([{"dense": 20}], (500,))
    spread = measure(net, np.ones((1, 500), np.float32), np.ones((1, 20), np.float32))["1"]
    assert spread["unit_spread"] == pytest.approx(1 - 1 / 20, abs=0.01)


def test_a_large_layer_is_measured_by_a_sample_and_its_silent_units_by_all():
    generator = np.random.default_rng(0)
    y = np.maximum(generator.normal(1, 2, size=(64, 50, 50, 4)), 0).astype(np.float32)
    y[..., 1] = 0
    y[..., 2] = 0
    y[13, 31, 17, 2] = 1  # one place of 160,000 keeps this channel alive
    row = dict(zip(FORWARD, np.asarray(measure_output(jnp.asarray(y), None)), strict=True))
    assert row["inactive_share"] == 1 / 4
    assert row["activation_mean"] == pytest.approx(y.mean(), rel=0.02)
    assert row["activation_std"] == pytest.approx(y.std(), rel=0.02)
    assert row["zero_share"] == pytest.approx(np.mean(y == 0), rel=0.02)
    assert row["nonfinite"] == 0
    y[13, 31, 17, 2] = np.nan
    assert measure_output(jnp.asarray(y), None)[FORWARD.index("nonfinite")] == 1


def test_a_sample_of_places_lies_in_every_column_of_a_picture():
    # The signal is the column's number: a step of one picture's width would see one column alone.
    signal = jnp.broadcast_to(jnp.arange(32.0)[None, None, :, None], (64, 32, 32, 4))
    seen = jax.grad(lambda d: jnp.sum(signal * probe(jnp.ones_like(signal), d)))(jnp.zeros(3))
    np.testing.assert_allclose(seen[:2], [64 * rms(np.arange(32)), 64 * 31], rtol=0.01)


def test_a_sample_of_weights():
    generator = np.random.default_rng(0)
    w, g = (generator.normal(size=(1000, 300)).astype(np.float32) for _ in range(2))
    row = dict(zip(WEIGHT, np.asarray(measure_weight(*map(jnp.asarray, (w, g, -g)))), strict=True))
    for column in ("weight_rms", "gradient_rms", "update_rms", "update_ratio"):
        assert row[column] == pytest.approx(1, rel=0.02), column
    assert row["unit_spread"] == pytest.approx(1 - 1 / 300, abs=0.001)


@pytest.mark.parametrize("rows", [1, 2, 7, 31, 97, 200])
def test_any_number_of_rows(rows):
    y = np.random.default_rng(rows).normal(size=(rows, 5)).astype(np.float32)
    row = np.asarray(measure_output(jnp.asarray(y), None))
    expected = [y.mean(), y.std(), 0, 0, np.nan, np.abs(y).max(), 0]
    np.testing.assert_allclose(row, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [1e-25, 1.0, 1e25])
def test_a_gradients_norm_does_not_overflow(size):
    tree = {"kernel": jnp.full((2, 8), size), "bias": jnp.zeros(3)}
    assert measure_norm(tree) == pytest.approx(4 * size, rel=1e-6)
    assert measure_norm({"kernel": jnp.array([jnp.inf])}) == jnp.inf
    assert np.isnan(measure_norm({"kernel": jnp.array([jnp.nan])}))


def test_float32_statistics_of_float64_weights(x64):
    row = measure_weight(jnp.ones((2, 2)), jnp.full((2, 2), jnp.inf), jnp.zeros((2, 2)))
    assert row.dtype == jnp.float32
    assert row[WEIGHT.index("nonfinite")] == 4
    assert measure_output(jnp.ones((2, 2)), None).dtype == jnp.float32
