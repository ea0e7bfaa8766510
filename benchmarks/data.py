"""Everything on data: `make bench-data`, or `python -m benchmarks.data [--only NAME]`.

Each part measures as its own file says; here they run one after another, and one table tells
figures, targets, and whether they are met. Parts that need cats-dogs or titanic.csv are left out,
and said to be, where these are not in ``--data``, by default ``../shared/data`` beside the
repository. Nothing of them is copied.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import data_cats_dogs, data_pictures, data_stream, data_tables, machine

_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Figure:
    """A line of the table; `met` is None where nothing was measured."""

    name: str
    target: str
    measured: str
    met: bool | None


def csv(chosen: argparse.Namespace) -> list[Figure]:
    """Measure the way from a CSV to an array."""
    ratio = data_tables.measure_speed(chosen.turns)
    name = "CSV of 1,000,000 × 30 to a ready array, over DuckDB alone"
    limit = data_tables.LIMIT
    return [Figure(name, f"≤ {limit}×", f"{ratio:.2f}×", ratio <= limit)]


def pictures(chosen: argparse.Namespace) -> list[Figure]:
    """Measure decoding."""
    result = data_pictures.measure(20_000, chosen.turns)
    spread = f"({result['least']:.2f} to {result['greatest']:.2f})"
    name = "20,000 JPEGs of 64×64, pictures a second over Pillow in a pool"
    measured, target = f"{result['ratio']:.2f}× {spread}", f"≥ {data_pictures.TARGET}×"
    return [Figure(name, target, measured, result["ratio"] >= data_pictures.TARGET)]


def cats_dogs(chosen: argparse.Namespace) -> list[Figure]:
    """Train on cats and dogs."""
    names = (f"cats-dogs, test accuracy, mean of {chosen.seeds} seeds", "cats-dogs, wall time")
    target = data_cats_dogs.TARGET
    targets = f"≥ {target:.0%}", "≤ PyTorch's"
    folder = chosen.data / "cats-dogs"
    if not folder.is_dir():
        return _absent(folder, names, targets)
    result = data_cats_dogs.measure(str(folder), chosen.seeds)
    accuracy = f"{result.accuracy:.1%} (PyTorch {result.peer_accuracy:.1%})"
    return [
        Figure(names[0], targets[0], accuracy, result.accuracy >= target),
        Figure(names[1], targets[1], f"{1 / result.ratio:.2f}× of it", result.ratio >= 1),
    ]


def titanic(chosen: argparse.Namespace) -> list[Figure]:
    """Train on Titanic's folds."""
    path = chosen.data / "titanic.csv"
    names = ("Titanic, 5 folds, over MLPClassifier", "… over HistGradientBoostingClassifier")
    within = data_tables.WITHIN
    targets = "≥ 0 points", f"≥ −{within * 100:g} point"
    if not path.is_file():
        return _absent(path, names, targets)
    means = data_tables.measure_titanic(path, chosen.seeds)
    own, figures = means["surefoot"], []
    for name, target, peer, least in zip(
        names, targets, ("MLP", "HistGradientBoosting"), (0, -within), strict=True
    ):
        measured = f"{(own - means[peer]) * 100:+.2f} points ({own:.2%}, {means[peer]:.2%})"
        figures.append(Figure(name, target, measured, own - means[peer] >= least))
    return figures


def stream(chosen: argparse.Namespace) -> list[Figure]:
    """Measure a stream; its lines stand above the table."""
    met = data_stream.measure(4.0, 1.0, 32, 10**9, chosen.turns)
    targets = f"< {data_stream.MOST_MEMORY / 1e9:g} GB, ≥ {data_stream.LEAST_RATIO}×"
    return [Figure("stream over 4 GB of Parquet: memory, steps a second", targets, "above", met)]


_PARTS: dict[str, Callable[[argparse.Namespace], list[Figure]]] = {
    "pictures": pictures,  # first: its peer forks, which wants no threads of others
    "csv": csv,
    "cats-dogs": cats_dogs,
    "titanic": titanic,
    "stream": stream,
}


def _absent(path: Path, names: tuple[str, ...], targets: tuple[str, ...]) -> list[Figure]:
    print(f"left out: {path} is not there; say where by --data")
    return [Figure(n, t, "left out", None) for n, t in zip(names, targets, strict=True)]


def _print(figures: list[Figure]) -> None:
    marks = {True: "✓", False: "✗", None: ""}
    lines = [("figure", "target", "measured", "met")]
    lines += [(f.name, f.target, f.measured, marks[f.met]) for f in figures]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    print()
    for line in lines:
        print("  ".join(t.ljust(w) for t, w in zip(line, widths, strict=True)).rstrip())


def main() -> None:
    """Run the parts, and print the table."""
    parser = argparse.ArgumentParser(description="Data: speed and accuracy beside peers.")
    parser.add_argument("--only", choices=_PARTS, action="append", help="a part; may be repeated")
    parser.add_argument("--data", type=Path, default=_DATA, help="holds cats-dogs, titanic.csv")
    parser.add_argument("--turns", type=int, default=5, help="of each timing")
    parser.add_argument("--seeds", type=int, default=3)
    chosen = parser.parse_args()
    print("; ".join(f"{key} {value}" for key, value in machine.describe().items()), "\n")
    _print([f for name in chosen.only or _PARTS for f in _PARTS[name](chosen)])


if __name__ == "__main__":
    main()
