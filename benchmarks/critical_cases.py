"""Points of error surfaces whose kind is known beforehand, made by a seeded generator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.critical_nets import (
    Case,
    bowl_of,
    classes,
    cohort_of,
    net_of,
    regression,
    scaled,
    solved,
    with_last,
    xor,
)

# Critical points: saddles.


def deep_linear_origin(seed: int) -> Case:
    x, y = regression(seed)
    cohort, params, state = cohort_of(x, y, net_of(5, 4, 2, bias=False))
    return Case("saddle-point", "higher-order", cohort, scaled(params, 0), state)


def deeper_linear_origin_with_biases(seed: int) -> Case:
    x, y = regression(seed)
    cohort, params, state = cohort_of(x, y, net_of(5, 4, 4, 2))
    return Case("saddle-point", "higher-order", cohort, scaled(params, 0), state)


def deep_tanh_near_origin(seed: int) -> Case:
    x, y = regression(seed)
    cohort, params, state = cohort_of(x, y, net_of(6, 6, 6, 2, hidden="tanh", bias=False))
    return Case("saddle-point", None, cohort, scaled(params, 1e-2), state)


def two_layer_linear_origin(seed: int) -> Case:
    x, y = regression(seed)
    cohort, params, state = cohort_of(x, y, net_of(5, 2))
    return Case("saddle-point", None, cohort, scaled(params, 0), state)


def two_layer_linear_of_rank_one(seed: int) -> Case:
    """Only the largest singular direction is learned (Baldi and Hornik 1989: a saddle)."""
    x, y = regression(seed)
    cohort, _, state = cohort_of(x, y, net_of(3, 2, bias=False))
    top = np.linalg.eigh(np.cov((x @ np.linalg.lstsq(x, y)[0]).T))[1][:, -1:]
    first = np.zeros((4, 3))
    first[:, :1] = np.linalg.lstsq(x, y)[0] @ top
    second = np.zeros((3, 2))
    second[:1] = top.T
    return Case("saddle-point", None, cohort, [{"kernel": first}, {"kernel": second}], state)


def softmax_linear_origin(seed: int) -> Case:
    cohort, params, state = cohort_of(
        *classes(seed), net_of(6, 3, out="softmax", bias=False), "cross_entropy"
    )
    return Case("saddle-point", None, cohort, scaled(params, 0), state)


def tanh_near_zero(seed: int) -> Case:
    x, y = regression(seed)
    cohort, params, state = cohort_of(x, y, net_of(8, 2, hidden="tanh"))
    return Case("saddle-point", None, cohort, scaled(params, 1e-3), state)


def xor_origin(seed: int) -> Case:
    net = net_of(4 + seed % 3, 1, hidden="tanh", out="sigmoid")
    cohort, params, state = cohort_of(*xor(), net, "binary_cross_entropy")
    return Case("saddle-point", "higher-order", cohort, scaled(params, 0), state)


def equal_units(seed: int) -> Case:
    """All hidden units alike, at the best they can do together: as one unit."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((64, 2))
    y = np.tanh(2 * x[:, :1]) - np.tanh(2 * x[:, 1:]) + 0.5 * np.tanh(x[:, :1] * 2 + 1)
    cohort, one, state = cohort_of(x, y, net_of(1, 1, hidden="tanh"))
    hidden, _, out = solved(cohort, one, state)
    cohort, params, state = cohort_of(x, y, net_of(4, 1, hidden="tanh"))
    params = [
        {"kernel": np.repeat(hidden["kernel"], 4, 1), "bias": np.repeat(hidden["bias"], 4)},
        {},
        {"kernel": np.repeat(out["kernel"], 4, 0) / 4, "bias": np.asarray(out["bias"])},
    ]
    return Case("saddle-point", None, cohort, params, state)


def maximum(seed: int) -> Case:
    """softplus(wx) against targets far above it, and inputs symmetric about 0: a maximum at 0."""
    half = np.random.default_rng(seed).standard_normal((32, 3))
    x = np.concatenate([half, -half])
    y = np.full((64, 1), 5.0)
    y[::2] += 0.5
    y[32:] = y[:32]
    layers = [{"dense": 1, "bias": False}, {"activation": "softplus"}]
    cohort, params, state = cohort_of(x, y, layers)
    return Case("saddle-point", None, cohort, scaled(params, 0), state)


# Minima.


def bowl(seed: int) -> Case:
    cohort, params, state, solution, _ = bowl_of(seed, 10.0)
    return Case("local-minimum", None, cohort, with_last(params, solution), state)


def near_the_solution(seed: int) -> Case:
    x, y = regression(seed)
    cohort, params, state = cohort_of(x, y, net_of(2, bias=False))
    solution = np.linalg.lstsq(x, y)[0] + 1e-3
    return Case("local-minimum", None, cohort, with_last(params, solution), state)


def redundant_inputs(seed: int) -> Case:
    x, y = regression(seed)
    x = np.concatenate([x, x[:, :2]], axis=1)
    cohort, params, state = cohort_of(x, y, net_of(2, bias=False))
    solution = np.linalg.lstsq(x, y)[0]
    return Case("local-minimum", None, cohort, with_last(params, solution), state)


def logistic_regression(seed: int) -> Case:
    cohort, params, state = cohort_of(*classes(seed), net_of(3, out="softmax"), "cross_entropy")
    return Case("local-minimum", None, cohort, solved(cohort, params, state), state)


def decayed_regression(seed: int) -> Case:
    """A minimum of loss and penalty together; of the loss alone it would be none."""
    x, y = regression(seed)
    cohort, params, state = cohort_of(x, y, net_of(2), weight_decay=0.3)
    return Case("local-minimum", None, cohort, solved(cohort, params, state), state)


def linear_net_at_its_best(seed: int) -> Case:
    x, y = regression(seed)
    cohort, params, state = cohort_of(x, y, net_of(3, 2))
    return Case("local-minimum", None, cohort, solved(cohort, params, state), state)


def decayed_tanh(seed: int) -> Case:
    x, y = regression(seed)
    cohort, params, state = cohort_of(x, y, net_of(3, 2, hidden="tanh"), weight_decay=0.03)
    return Case("local-minimum", None, cohort, solved(cohort, params, state), state)


def perfect_teacher(seed: int) -> Case:
    """The targets are the net's own outputs."""
    x, _ = regression(seed)
    generator = np.random.default_rng(seed)
    params = [
        {"kernel": generator.standard_normal((4, 6)), "bias": generator.standard_normal(6)},
        {},
        {"kernel": generator.standard_normal((6, 2)), "bias": np.zeros(2)},
    ]
    y = np.tanh(x @ params[0]["kernel"] + params[0]["bias"]) @ params[2]["kernel"]
    cohort, _, state = cohort_of(x, y, net_of(6, 2, hidden="tanh"))
    return Case("local-minimum", "fitted", cohort, params, state)


def separated_classes(seed: int) -> Case:
    x, y = classes(seed, apart=20.0)
    cohort, params, state = cohort_of(x, y, net_of(3, out="softmax"), "cross_entropy")
    params = [{"kernel": np.eye(4)[:, :3], "bias": np.zeros(3)}, *params[1:]]
    return Case("local-minimum", "fitted", cohort, params, state)


# Flat regions.


def _saturated(seed: int, activation: str, *hidden: int) -> Case:
    """Every hidden unit is far out on every row, and the last layer makes the best of it."""
    x, y = regression(seed)
    cohort, params, state = cohort_of(x, y, net_of(*hidden, 2, hidden=activation, bias=False))
    params, h = list(params), x
    for i in range(0, 2 * len(hidden), 2):
        z = h @ params[i]["kernel"]
        factor = 20 / np.abs(z).min()
        params[i] = {"kernel": factor * params[i]["kernel"]}
        h = np.sign(z) if activation == "tanh" else (z > 0).astype(float)
    return Case(
        "flat-region", "blocked", cohort, with_last(params, np.linalg.lstsq(h, y)[0]), state
    )


def saturated_sigmoid(seed: int) -> Case:
    return _saturated(seed, "sigmoid", 6)


def saturated_tanh(seed: int) -> Case:
    return _saturated(seed, "tanh", 5, 5)


def saturated_output(seed: int) -> Case:
    """Squared error on a sigmoid that is certain, and wrong on half of the rows."""
    x = np.random.default_rng(seed).standard_normal((64, 3))
    y = (x[:, 1] > 0).astype(np.float64)[:, None]
    cohort, params, state = cohort_of(x, y, net_of(1, out="sigmoid"))
    params = [{"kernel": np.zeros((3, 1)), "bias": np.full(1, 30.0)}, *params[1:]]
    return Case("flat-region", "blocked", cohort, params, state)


def dead_relu(seed: int) -> Case:
    x, y = regression(seed)
    cohort, params, state = cohort_of(x, y, net_of(8, 2, hidden="relu"))
    params = [{**params[0], "bias": np.full(8, -20.0)}, *params[1:]]
    return Case("flat-region", "blocked", cohort, with_last(params, bias=y.mean(0)), state)


def dead_relu_classes(seed: int) -> Case:
    net = net_of(8, 8, 3, hidden="relu", out="softmax")
    cohort, params, state = cohort_of(*classes(seed), net, "cross_entropy")
    params = [*params[:2], {**params[2], "bias": np.full(8, -20.0)}, *params[3:]]
    return Case("flat-region", "blocked", cohort, params, state)


# No critical points.


def _on_the_wall(seed: int, condition: float, swing: float, steps: int) -> Case:
    """Gradient descent at a rate of swing · 2/λmax, from a place on the floor, a little aside."""
    cohort, params, state, solution, largest = bowl_of(seed, condition)
    rate = 2 * swing / largest
    eigenvalues = np.array([[largest], [largest / condition]])
    off = np.array([[0.02], [20.0]]) * (1 - rate * eigenvalues) ** steps
    case = with_last(params, solution + off)
    return Case("not-critical", "ravine", cohort, case, state, rate)


def ravine_above_the_limit(seed: int) -> Case:
    return _on_the_wall(seed, 1e4, 1.02, 150)


def ravine_at_the_limit(seed: int) -> Case:
    return _on_the_wall(seed, 1e4, 1.0, 10) if seed % 2 else _on_the_wall(seed, 1e3, 1.001, 500)


def bouncing_product(seed: int) -> Case:
    """Descent on (1 − ab)² whose rate is above 2/λmax: it swings about the minimum for ever."""
    x = np.array([[-1.0], [1.0]] * 8)
    cohort, _, state = cohort_of(x, x, net_of(1, 1, bias=False))
    a, b = 1.3 + 0.05 * (seed % 4), 0.4
    rate = 0.55  # at a = b = 1 the Hessian's largest eigenvalue is 4: the limit is 0.5
    for _ in range(400):
        slope = -2 * (1 - a * b)
        a, b = a - rate * slope * b, b - rate * slope * a
    params = [{"kernel": np.array([[a]])}, {"kernel": np.array([[b]])}]
    return Case("not-critical", "ravine", cohort, params, state, rate)


def too_low_a_rate(seed: int) -> Case:
    x, y = regression(seed)
    cohort, params, state = cohort_of(x, y, net_of(2))
    return Case("not-critical", "descending", cohort, params, state, 1e-6)


def low_rate_in_a_net(seed: int) -> Case:
    net = net_of(16, 16, 3, hidden="relu", out="softmax")
    cohort, params, state = cohort_of(*classes(seed), net, "cross_entropy")
    return Case("not-critical", "descending", cohort, params, state, 1e-5)


def tiny_inputs(seed: int) -> Case:
    """Inputs of a thousandth: the surface is shallow, and its minimum far away."""
    x, y = regression(seed)
    cohort, params, state = cohort_of(1e-3 * x, y, net_of(2, bias=False))
    return Case("not-critical", "descending", cohort, params, state)


def valley_floor(seed: int) -> Case:
    """No swinging, and a gradient of a thousandth of what the walls have; yet far to go."""
    cohort, params, state, solution, _ = bowl_of(seed, 1e3)
    params = with_last(params, solution + np.array([[0.0], [10.0]]))
    return Case("not-critical", "descending", cohort, params, state, 0.1)


def normalized_net(seed: int) -> Case:
    layers = [
        {"dense": 12},
        {"batch_norm": {}},
        {"activation": "relu"},
        {"dense": 3},
        {"activation": "softmax"},
    ]
    cohort, params, state = cohort_of(*classes(seed), layers, "cross_entropy")
    return Case("not-critical", "descending", cohort, params, state)


CASES: tuple[Callable[[int], Case], ...] = (
    deep_linear_origin,
    deeper_linear_origin_with_biases,
    deep_tanh_near_origin,
    two_layer_linear_origin,
    two_layer_linear_of_rank_one,
    softmax_linear_origin,
    tanh_near_zero,
    xor_origin,
    equal_units,
    maximum,
    bowl,
    near_the_solution,
    redundant_inputs,
    logistic_regression,
    decayed_regression,
    linear_net_at_its_best,
    decayed_tanh,
    perfect_teacher,
    separated_classes,
    saturated_sigmoid,
    saturated_tanh,
    saturated_output,
    dead_relu,
    dead_relu_classes,
    ravine_above_the_limit,
    ravine_at_the_limit,
    bouncing_product,
    too_low_a_rate,
    low_rate_in_a_net,
    tiny_inputs,
    valley_floor,
    normalized_net,
)
