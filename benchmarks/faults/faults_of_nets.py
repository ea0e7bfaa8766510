"""Faults of the net: initializers, depth, width, activations, the output layer, the loss."""

from __future__ import annotations

from typing import Any

from benchmarks.faults.bases import dense
from benchmarks.faults.draft import Draft
from benchmarks.faults.family import Family, Strength, ids


def _initializer(spec: Any) -> Any:
    def edit(draft: Draft, strength: Strength) -> None:
        draft.tables["net"]["initializer"] = {
            key: strength if value is None else value for key, value in spec.items()
        }

    return edit


def _hidden_biases(draft: Draft, strength: Strength) -> None:
    for layer in draft.weighted():
        layer["bias_initializer"] = {"name": "constant", "value": float(strength)}


def _saturating(draft: Draft) -> bool:
    return not draft.batch_norm and draft.activation in ("tanh", "sigmoid")


def _relu(draft: Draft) -> bool:
    return draft.activation == "relu" and not draft.batch_norm


def _plain(draft: Draft) -> bool:
    return not draft.batch_norm


_DEEP_WIDTH = 24


def _deep(activation: str, initializer: Any) -> Any:
    """Return an edit that makes the net so many layers deep, without normalization or shortcuts."""

    def edit(draft: Draft, strength: Strength) -> None:
        layers = dense(_DEEP_WIDTH, activation=activation)
        # Beyond a few layers as one scan: it compiles in the time of a single layer.
        repeated = [{"repeat": int(strength) - 1, "layers": layers}]
        draft.body = layers * int(strength) if strength < 8 else [*layers, *repeated]
        draft.tables["net"] = {"initializer": initializer}

    return edit


def _narrow(draft: Draft, strength: Strength) -> None:
    for layer in draft.weighted():
        for kind in ("dense", "conv"):
            if kind in layer:
                layer[kind] = int(strength)


def _linear_origin(draft: Draft, strength: Strength) -> None:
    draft.body = [{"dense": 32}, {"dense": 32}, {"dense": 32}]
    draft.tables["net"] = {"initializer": {"name": "normal", "stddev": float(strength)}}


def _linear_enough(draft: Draft) -> bool:
    return draft.spec.name in (
        "digits",
        "breast-cancer",
        "segments",
        "wine",
        "waveform",
        "diabetes",
    )


def _step(draft: Draft, strength: Strength) -> None:
    draft.replace_activation("step")


def _two_classes(draft: Draft) -> bool:
    return draft.spec.classes == 2


def _classes(draft: Draft) -> bool:
    return draft.classes


def _regression(draft: Draft) -> bool:
    return not draft.classes


def _several_classes(draft: Draft) -> bool:
    return draft.spec.classes > 2


def _softmax_output(draft: Draft) -> bool:
    return draft.output[-1] == {"activation": "softmax"}


def _one_unit(draft: Draft, strength: Strength) -> None:
    draft.output = [{"dense": 1}, {"activation": "softmax"}]
    draft.train["loss"] = str(strength)


def _lone_sigmoid(draft: Draft, strength: Strength) -> None:
    draft.output = [{"dense": 1}, {"activation": "sigmoid"}]
    draft.train["loss"] = str(strength)


def _before_softmax(draft: Draft, strength: Strength) -> None:
    draft.output.insert(1, {"activation": str(strength)})


def _ended_by(draft: Draft, strength: Strength) -> None:
    draft.output = [draft.output[0], {"activation": str(strength)}]


def _raw_outputs(draft: Draft, strength: Strength) -> None:
    draft.output = draft.output[:1]
    draft.train["loss"] = str(strength)


def _loss(draft: Draft, strength: Strength) -> None:
    draft.train["loss"] = str(strength)


FAMILIES = (
    Family(
        "zero-weights",
        ("all",),
        ids("symmetric-units", "initialization-scale", "saddle-point"),
        "weights drawn at random make the units differ and leave the saddle at the origin",
        ids("initializer"),
        _initializer({"name": "zeros"}),
        shares=4,
    ),
    Family(
        "equal-weights",
        (0.01, 0.1, 0.5),
        ids("symmetric-units", "initialization-scale", "saddle-point"),
        "weights drawn at random make the units differ; their scale comes with them",
        ids("initializer"),
        _initializer({"name": "constant", "value": None}),
    ),
    Family(
        "small-weights",
        (1e-2, 1e-3, 1e-4, 1e-6),
        ids("initialization-scale", "saddle-point", "flat-region", "vanishing-gradients"),
        "weights of the usual scale let signal and gradient pass, and are far from the saddle",
        ids("initializer"),
        _initializer({"name": "normal", "stddev": None}),
    ),
    Family(
        "large-weights",
        (3.0, 10.0, 30.0, 100.0),
        ids("initialization-scale", "saturated-units", "exploding-gradients"),
        "weights of the usual scale neither saturate units nor let gradients grow",
        ids("initializer"),
        _initializer({"name": "he_normal", "gain": None}),
    ),
    Family(
        "negative-biases",
        (-1.0, -3.0, -10.0, -30.0),
        ids("dead-units", "initialization-scale"),
        "zero biases leave half of the inputs on the living side of each ReLU",
        ids("biases"),
        _hidden_biases,
        _relu,
    ),
    Family(
        "saturating-biases",
        (2.0, 6.0, 20.0),
        ids("saturated-units", "initialization-scale", "vanishing-gradients", "flat-region"),
        "zero biases put units in the middle of their range, where the slope is",
        ids("biases"),
        _hidden_biases,
        _saturating,
    ),
    Family(
        "deep-sigmoid",
        (3, 6, 10, 20),
        ids(
            "vanishing-gradients",
            "saturated-units",
            "flat-region",
            "depth-degradation",
            "saddle-point",
        ),
        "each sigmoid lets at most a quarter of the gradient pass; fewer layers, other units or "
        "shortcuts undo it, and each of these names asks for one of them",
        ids("body", "initializer", "biases"),
        _deep("sigmoid", "glorot_uniform"),
    ),
    Family(
        "deep-relu",
        (8, 20, 40),
        ids("depth-degradation", "vanishing-gradients", "exploding-gradients", "dead-units"),
        "fewer layers, shortcuts or normalization undo it",
        ids("body", "initializer", "biases"),
        _deep("relu", "he_normal"),
    ),
    Family(
        "deep-faint-relu",
        (10, 20, 40),
        ids(
            "depth-degradation",
            "vanishing-gradients",
            "initialization-scale",
            "saddle-point",
            "flat-region",
        ),
        "Glorot's variance halves the signal's power in each ReLU layer; He's keeps it, and so "
        "do fewer layers",
        ids("body", "initializer", "biases"),
        _deep("relu", {"name": "glorot_normal", "gain": 0.7}),
    ),
    Family(
        "deep-tanh",
        (8, 20, 40),
        ids("depth-degradation", "vanishing-gradients", "saturated-units", "exploding-gradients"),
        "fewer layers or shortcuts undo it",
        ids("body", "initializer", "biases"),
        _deep("tanh", "glorot_uniform"),
    ),
    Family(
        "deep-loud",
        (6, 12, 20),
        ids("exploding-gradients", "initialization-scale", "depth-degradation"),
        "a gain of 2.5 a layer multiplies signal and gradient; He's variance or fewer layers "
        "keep them",
        ids("body", "initializer", "biases"),
        _deep("relu", {"name": "he_normal", "gain": 2.5}),
    ),
    Family(
        "narrow",
        (1, 2, 4),
        ids("underfitting", "local-minimum"),
        "more units can express the function, and have fewer bad minima",
        ids("body"),
        _narrow,
        _plain,
    ),
    Family(
        "linear-at-origin",
        (1e-2, 1e-3, 1e-5),
        ids("saddle-point", "initialization-scale", "vanishing-gradients", "flat-region"),
        "the origin is a saddle of a deep linear net; larger weights start beyond it",
        ids("body", "initializer", "biases"),
        _linear_origin,
        _linear_enough,
    ),
    Family(
        "step-units",
        ("all",),
        ids("flat-region", "vanishing-gradients", "saturated-units"),
        "the slope of a step is 0 everywhere; units with a slope undo it",
        ids("activation"),
        _step,
        _plain,
        shares=3,
    ),
    Family(
        "softmax-of-one",
        ("binary_cross_entropy", "cross_entropy"),
        ids("wrong-output"),
        "the softmax of a single unit is always 1; a sigmoid, or two units, undo it",
        ids("output", "loss"),
        _one_unit,
        _two_classes,
        shares=2,
    ),
    Family(
        "sigmoid-of-one-shares",
        ("cross_entropy",),
        ids("wrong-output", "wrong-loss"),
        "cross-entropy divides a lone output by itself; the binary one, or two units, undo it",
        ids("output", "loss"),
        _lone_sigmoid,
        _two_classes,
        shares=2,
    ),
    Family(
        "before-softmax",
        ("relu", "softmax", "sigmoid"),
        ids("wrong-output"),
        "what comes between the last dense layer and softmax bounds the logits",
        ids("output"),
        _before_softmax,
        _softmax_output,
    ),
    Family(
        "bounded-output",
        ("relu", "sigmoid", "tanh"),
        ids("wrong-output"),
        "targets lie beyond what the output can reach",
        ids("output"),
        _ended_by,
        _regression,
    ),
    Family(
        "class-output",
        ("relu", "tanh", "sigmoid"),
        ids("wrong-output", "wrong-loss"),
        "cross-entropy wants shares that sum to 1, and gets numbers that are none",
        ids("output", "loss"),
        lambda draft, strength: (_ended_by(draft, strength), _loss(draft, "cross_entropy"))[0],
        _several_classes,
    ),
    Family(
        "no-logits-said",
        ("cross_entropy", "binary_cross_entropy"),
        ids("wrong-output", "wrong-loss"),
        "raw outputs are taken for probabilities; a softmax, or from_logits, undoes it",
        ids("output", "loss"),
        _raw_outputs,
        _several_classes,
    ),
    Family(
        "loss-of-numbers",
        ("mean_squared_error", "mean_absolute_error"),
        ids("wrong-loss"),
        "its gradient vanishes where a softmax is sure and wrong; cross-entropy's does not",
        ids("loss"),
        _loss,
        _classes,
        shares=3,
    ),
    Family(
        "raw-loss-of-numbers",
        ("mean_squared_error", "mean_absolute_error"),
        ids("wrong-loss", "wrong-output"),
        "classes are told apart by probabilities, not by distances to 0 and 1",
        ids("output", "loss"),
        _raw_outputs,
        _several_classes,
    ),
    Family(
        "binary-loss",
        ("binary_cross_entropy",),
        ids("wrong-loss"),
        "several classes that exclude each other are one distribution",
        ids("loss"),
        _loss,
        lambda draft: _several_classes(draft) and _softmax_output(draft),
    ),
)
