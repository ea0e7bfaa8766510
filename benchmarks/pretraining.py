"""Where pre-training and transfer help, and where not: validation accuracy, paired over seeds.

    python -m benchmarks.pretraining            # the table of docs/pretraining.md
    python -m benchmarks.pretraining --tune     # the rates and epochs that the settings below have

Each seed draws the first weights, the order of batches, the validation rows, and the rows that keep
their labels; all arms of a question share them. Rates were chosen on seeds that the table does not
use.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t
from sklearn.datasets import load_digits

import surefoot as sf
from surefoot.engine.training import train
from surefoot.job import prepare

Tables = dict[str, Any]
SEEDS, TUNING_SEEDS = range(8), range(100, 103)
_QUIET = {"vitals": {"every": 0, "first": 0}}


def dense(*units: int, activation: str) -> list[Any]:
    """Return the layers of a dense net for classes."""
    hidden = [layer for size in units for layer in ({"dense": size}, {"activation": activation})]
    return [*hidden, {"dense": "classes"}, {"activation": "softmax"}]


def recipe(layers: Sequence[Any], rate: float, epochs: int, **sections: Any) -> Tables:
    """Return a recipe for digits, trained by Adam."""
    data = {"source": "digits", **sections.pop("data", {})}
    return {
        "data": data,
        "net": {"layers": list(layers), "initializer": "glorot_normal"},
        "optimizer": {"name": "adam", "learning_rate": rate},
        "train": {"epochs": epochs, "batch_size": min(32, data.get("labelled", 32))},
        **_QUIET,
        **sections,
    }


def accuracy(tables: Mapping[str, Any], seed: int, rows: Any = None) -> float:
    """Train once; return the accuracy on the validation rows with the last weights."""
    data = {**tables["data"], "split_seed": seed}
    own = {**tables, "seed": seed, "data": data}
    if rows is None:
        job = prepare(own)
    else:
        data.pop("source", None)
        job = prepare(*rows, keys=own)
    (result,) = train(job.cohort)
    assert result.validation is not None
    return result.validation[1]


RELU = dense(128, 64, activation="relu")
SIGMOID = dense(128, 64, activation="sigmoid")
METHODS: dict[str, Tables] = {
    "none": {},
    "auto-encoders": {"pretrain": {"method": "autoencoder"}},
    "denoising auto-encoders": {"pretrain": {"method": "denoising_autoencoder"}},
    # With fewer passes, or at a lower rate, ten layers do not train behind it.
    "Boltzmann machines": {"pretrain": {"method": "rbm", "epochs": 50, "learning_rate": 0.05}},
}
# Question: net, rate, epochs, data.
QUESTIONS: dict[str, tuple[Sequence[Any], float, int, Tables]] = {
    "100 labels, 2 ReLU layers": (RELU, 1e-3, 100, {"labelled": 100}),
    "100 labels, 2 sigmoid layers": (SIGMOID, 3e-3, 100, {"labelled": 100}),
    "30 labels, 2 sigmoid layers": (SIGMOID, 3e-3, 100, {"labelled": 30}),
    # The rate at which the net without pre-training does best, of 0.0003 to 0.01.
    "all labels, 6 sigmoid layers": (dense(*[64] * 6, activation="sigmoid"), 1e-2, 20, {}),
    "all labels, 10 sigmoid layers": (dense(*[64] * 10, activation="sigmoid"), 3e-3, 20, {}),
    "all labels, 2 ReLU layers": (RELU, 1e-3, 20, {}),
}


def digits(classes: Iterable[int]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the digits of some classes, from 0 to 1."""
    bunch = load_digits()
    mask = np.isin(bunch.target, list(classes))
    return bunch.data[mask] / 16, bunch.target[mask]


def transfers(source: str, epochs: int) -> dict[str, Tables]:
    """Return the ways to begin with another run's layers."""
    return {
        "none": {},
        "all layers move": {"transfer": {"from": source}},
        "hidden layers at a tenth": {"transfer": {"from": source, "rates": {"hidden": 0.1}}},
        "hidden layers frozen": {"transfer": {"from": source, "freeze": ["hidden"]}},
        "frozen for the first half": {
            "transfer": {"from": source, "freeze": ["hidden"], "thaw": epochs // 2}
        },
    }


def compare(name: str, arms: Mapping[str, Sequence[float]]) -> None:
    """Print a question's rows: means, and differences from the first arm with 95 % intervals."""
    (first, base), *_ = arms.items()
    for arm, values in arms.items():
        each = 100 * np.asarray(values)
        row = f"| {name} | {arm} | {each.mean():.1f} |"
        if arm != first:
            gap = each - 100 * np.asarray(base)
            spread = gap.std(ddof=1) / len(gap) ** 0.5
            half = spread * t.ppf(0.975, len(gap) - 1)
            row += f" {gap.mean():+.1f} ({gap.mean() - half:+.1f} to {gap.mean() + half:+.1f}) |"
        else:
            row += " |"
        print(row, flush=True)


def main() -> None:
    """Print the table, or what the rates were chosen by."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tune", action="store_true", help="try rates, on seeds of their own")
    parser.add_argument("--only", help="questions whose name holds this")
    options = parser.parse_args()
    print("| question | pre-training | accuracy, % | difference, points (95 %) |")
    print("| --- | --- | ---: | ---: |")
    for name, (layers, rate, epochs, data) in QUESTIONS.items():
        if options.only and options.only not in name:
            continue
        rates = (3e-4, 1e-3, 3e-3, 1e-2) if options.tune else (rate,)
        for own in rates:
            seeds = TUNING_SEEDS if options.tune else SEEDS
            arms = {
                arm: [accuracy(recipe(layers, own, epochs, data=data, **keys), s) for s in seeds]
                for arm, keys in METHODS.items()
            }
            compare(f"{name}, rate {own:g}" if options.tune else name, arms)
    # Classes that the first run never saw; and another question about classes that it knows.
    x, y = digits(range(10))
    half = len(x) // 2
    first, odd = (x[:half], y[:half]), (x[half:], y[half:] % 2)
    tasks = (
        ("0–4 to 5–9, 25 rows", digits(range(5)), digits(range(5, 10)), 25, 500),
        ("0–4 to 5–9, 500 rows", digits(range(5)), digits(range(5, 10)), 500, 40),
        ("ten digits to odd or even, 50 rows", first, odd, 50, 250),
        ("ten digits to odd or even, 15 rows", first, odd, 15, 250),
    )
    for name, before, after, count, epochs in tasks:
        if not options.tune and (options.only or "") in name:
            transferred(name, before, after, count, epochs)


def transferred(name: str, before: Any, after: Any, count: int, epochs: int) -> None:
    """Train on the first rows, then begin with these layers on so many of the other ones."""
    with tempfile.TemporaryDirectory() as folder:
        source = f"{folder}/first"
        sf.train(*before, net=RELU, epochs=20, standardize=False, out=source, **_QUIET)
        data = {"labelled": count, "standardize": False}
        arms = {
            arm: [
                accuracy(recipe(RELU, 1e-3, epochs, data=data, **own), seed, after)
                for seed in SEEDS
            ]
            for arm, own in transfers(source, epochs).items()
        }
        compare(name, arms)


if __name__ == "__main__":
    main()
