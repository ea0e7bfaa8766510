"""Healthy recipes: two or three for each data set, of different nets, rules and outputs.

And harmless changes of them, which look suspicious, or merely different, and train as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from benchmarks.faults.datasets import DATASETS
from benchmarks.faults.draft import Draft, Layers


def _output(draft_classes: int, one_sigmoid: bool) -> tuple[Layers, str]:
    if not draft_classes:
        return [{"dense": "outputs"}], "mean_squared_error"
    if one_sigmoid:
        return [{"dense": 1}, {"activation": "sigmoid"}], "binary_cross_entropy"
    return [{"dense": "classes"}, {"activation": "softmax"}], "cross_entropy"


def _draft(
    name: str,
    body: Layers,
    rule: str,
    rate: float,
    *,
    epochs: int,
    batch: int = 32,
    standardize: bool = True,
    targets: bool = False,
    one_sigmoid: bool = False,
    numbers: Mapping[str, float] | None = None,
    train: Mapping[str, Any] | None = None,
) -> Draft:
    spec = DATASETS[name]
    output, loss = _output(spec.classes, one_sigmoid)
    tables = {
        "data": {"standardize": standardize, "standardize_targets": targets},
        "net": {},
        "optimizer": {"name": rule, "learning_rate": rate, **(numbers or {})},
        "schedule": {"name": "constant"},
        "train": {"loss": loss, "batch_size": batch, "epochs": epochs, **(train or {})},
    }
    if not any(layer.get("activation") == "relu" for layer in body):
        tables["net"]["initializer"] = "glorot_uniform"  # He's variance is meant for ReLU
    return Draft(spec, tables, body, output)


def dense(*widths: int, activation: str = "relu", norm: bool = False, dropout: float = 0) -> Layers:
    """Return hidden dense layers, each with its activation."""
    layers: Layers = []
    for width in widths:
        layers.append({"dense": width})
        if norm:
            layers.append({"batch_norm": {}})
        layers.append({"activation": activation})
        if dropout:
            layers.append({"dropout": dropout})
    return layers


def _conv(*filters: int, activation: str = "relu", norm: bool = False, dense: int = 0) -> Layers:
    layers: Layers = []
    for count in filters:
        layers.append({"conv": count, "size": 3})
        if norm:
            layers.append({"batch_norm": {}})
        layers += [{"activation": activation}, {"max_pool": 2}]
    layers.append({"flatten": {}})
    return [*layers, {"dense": dense}, {"activation": activation}] if dense else layers


_ALL: Mapping[str, tuple[Draft, ...]] = {
    "digits": (
        _draft("digits", dense(64, 64), "adam", 2e-3, epochs=20),
        _draft("digits", dense(64, activation="tanh"), "momentum", 0.05, epochs=20),
        _draft("digits", dense(64, 32, norm=True), "sgd", 0.2, epochs=20),
    ),
    "breast-cancer": (
        _draft("breast-cancer", dense(16), "adam", 5e-3, epochs=40, one_sigmoid=True),
        _draft("breast-cancer", dense(16, 16, activation="tanh"), "sgd", 0.1, epochs=40),
        _draft(
            "breast-cancer", dense(32, activation="gelu", dropout=0.2), "rmsprop", 2e-3, epochs=40
        ),
    ),
    "spirals": (
        _draft("spirals", dense(32, 32), "adam", 1e-2, epochs=40, one_sigmoid=True),
        _draft(
            "spirals",
            dense(24, 24, 24, activation="tanh"),
            "momentum",
            0.1,
            epochs=40,
            standardize=False,
        ),
        _draft("spirals", dense(32, 32, 32, activation="elu"), "rmsprop", 5e-3, epochs=40),
    ),
    "moons": (
        _draft("moons", dense(16, 16), "adam", 1e-2, epochs=40),
        _draft("moons", dense(16, activation="tanh"), "momentum", 0.2, epochs=45, one_sigmoid=True),
        _draft(
            "moons", dense(32, 16, activation="gelu"), "rmsprop", 5e-3, epochs=40, standardize=False
        ),
    ),
    "mixture": (
        _draft("mixture", dense(64, 32), "adam", 3e-3, epochs=25),
        _draft("mixture", dense(64, 48, activation="elu"), "momentum", 0.02, epochs=25),
        _draft("mixture", dense(96, norm=True), "rmsprop", 3e-3, epochs=25, standardize=False),
    ),
    "stripes": (
        _draft("stripes", _conv(8, 16), "adam", 5e-3, epochs=20),
        _draft("stripes", _conv(12, norm=True), "momentum", 0.05, epochs=20, standardize=False),
        _draft("stripes", _conv(12, activation="tanh", dense=32), "sgd", 0.2, epochs=20),
    ),
    "diabetes": (
        _draft("diabetes", dense(16), "adam", 3e-3, epochs=40, targets=True),
        _draft("diabetes", dense(16, activation="tanh"), "sgd", 0.03, epochs=40, targets=True),
    ),
    "waves": (
        _draft("waves", dense(64, 64), "adam", 3e-3, epochs=40),
        _draft("waves", dense(48, 48, activation="tanh"), "momentum", 0.03, epochs=45),
        _draft(
            "waves", dense(64, 32, activation="gelu"), "rmsprop", 3e-3, epochs=45, standardize=False
        ),
    ),
    "segments": (
        _draft("segments", dense(48, 48), "adam", 2e-3, epochs=25),
        _draft("segments", dense(64, activation="tanh"), "momentum", 0.05, epochs=25),
        _draft("segments", dense(48, 32, norm=True), "sgd", 0.2, epochs=25),
    ),
    "wine": (
        _draft("wine", dense(16), "adam", 1e-2, epochs=40, batch=16),
        _draft("wine", dense(16, 16, activation="tanh"), "sgd", 0.1, epochs=40, batch=8),
        _draft(
            "wine", dense(32, activation="gelu", dropout=0.2), "rmsprop", 5e-3, epochs=40, batch=16
        ),
    ),
    "rings": (
        _draft("rings", dense(16, 16), "adam", 1e-2, epochs=40, one_sigmoid=True),
        _draft(
            "rings", dense(16, activation="tanh"), "momentum", 0.2, epochs=40, standardize=False
        ),
        _draft("rings", dense(32, 16, activation="elu"), "rmsprop", 5e-3, epochs=40),
    ),
    "gaussians": (
        _draft("gaussians", dense(64, 32), "adam", 3e-3, epochs=25),
        _draft("gaussians", dense(64, 48, activation="elu"), "momentum", 0.02, epochs=25),
        _draft("gaussians", dense(64, norm=True), "rmsprop", 3e-3, epochs=25, standardize=False),
    ),
    "waveform": (
        _draft("waveform", dense(32), "adam", 3e-3, epochs=20),
        _draft("waveform", dense(24, 24, activation="tanh"), "sgd", 0.1, epochs=20),
        _draft(
            "waveform", dense(32, 16, activation="gelu", dropout=0.2), "momentum", 0.03, epochs=20
        ),
    ),
    "shapes": (
        _draft("shapes", _conv(12, 24), "adam", 5e-3, epochs=25),
        _draft("shapes", _conv(16, norm=True, dense=32), "momentum", 0.05, epochs=25),
        _draft("shapes", _conv(16, activation="elu", dense=48), "rmsprop", 2e-3, epochs=25),
    ),
    "prices": (
        _draft("prices", dense(48, 32), "adam", 5e-3, epochs=45, targets=True),
        _draft(
            "prices", dense(48, 32, activation="tanh"), "momentum", 0.03, epochs=45, targets=True
        ),
    ),
    "arm": (
        _draft("arm", dense(48, 48), "adam", 5e-3, epochs=45),
        _draft("arm", dense(48, 48, activation="tanh"), "momentum", 0.03, epochs=45),
        _draft(
            "arm", dense(64, 32, activation="gelu"), "rmsprop", 3e-3, epochs=45, standardize=False
        ),
    ),
}
BASES: Mapping[str, tuple[Draft, ...]] = MappingProxyType(_ALL)

Change = Callable[[Draft], None]


def _half_rate(draft: Draft) -> None:
    draft.optimizer["learning_rate"] *= 0.5


def _double_rate(draft: Draft) -> None:
    draft.optimizer["learning_rate"] *= 2


def _batch_of_16(draft: Draft) -> None:
    draft.train["batch_size"] = 16


def _batch_of_4(draft: Draft) -> None:
    """Each step sees an eighth of the rows, so the rate that fits is smaller: by about √8."""
    draft.train["batch_size"] = 4
    draft.optimizer["learning_rate"] /= 3
    draft.train["epochs"] = max(4, draft.train["epochs"] // 4)


def _batch_of_64(draft: Draft) -> None:
    draft.train["batch_size"] = 64
    draft.train["epochs"] *= 2


def _cosine(draft: Draft) -> None:
    draft.tables["schedule"] = {"name": "cosine", "warmup": 0.05}


def _little_decay(draft: Draft) -> None:
    draft.optimizer["weight_decay"] = 1e-4


def _little_dropout(draft: Draft) -> None:
    draft.insert_after_activations({"dropout": 0.1})


def _clipped(draft: Draft) -> None:
    draft.train["clip_norm"] = 1.0


def _uniform(draft: Draft) -> None:
    draft.tables["net"]["initializer"] = "he_uniform"


def _orthogonal(draft: Draft) -> None:
    draft.tables["net"]["initializer"] = "orthogonal"


def _wide(draft: Draft) -> None:
    for layer in draft.weighted():
        for kind in ("dense", "conv"):
            if kind in layer:
                layer[kind] *= 2


def _shallow_sigmoid(draft: Draft) -> None:
    """One hidden layer of sigmoids, and a rate to go with their small slope."""
    width = max(layer.get("dense", layer.get("conv", 0)) for layer in draft.weighted())
    draft.body = [{"dense": max(width, 32)}, {"activation": "sigmoid"}]
    draft.tables["net"]["initializer"] = "glorot_uniform"
    draft.tables["optimizer"] = {"name": "adam", "learning_rate": 0.02}
    draft.train["epochs"] = round(draft.train["epochs"] * 1.5)


def _leaky(draft: Draft) -> None:
    draft.replace_activation("leaky_relu")


def _silu(draft: Draft) -> None:
    draft.replace_activation("silu")


def _early_stopping(draft: Draft) -> None:
    draft.train["early_stopping"] = {"patience": 10}


def _logits(draft: Draft) -> None:
    """The same net, its softmax or sigmoid within the loss."""
    if draft.classes:
        draft.output = draft.output[:1]
        draft.train["from_logits"] = True


HARMLESS: Mapping[str, Change] = MappingProxyType(
    {
        change.__name__.strip("_").replace("_", "-"): change
        for change in (
            _half_rate,
            _double_rate,
            _batch_of_16,
            _batch_of_4,
            _batch_of_64,
            _cosine,
            _little_decay,
            _little_dropout,
            _clipped,
            _uniform,
            _orthogonal,
            _wide,
            _shallow_sigmoid,
            _leaky,
            _silu,
            _early_stopping,
            _logits,
        )
    }
)
