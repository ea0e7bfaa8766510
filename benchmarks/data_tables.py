"""Tables beside their peers: `python -m benchmarks.data_tables [TITANIC.csv]`.

1. A CSV of 1,000,000 rows and 30 columns to an array that is ready for training (read, every
   column recognized and fitted, encoded to float32 without missing values), over the time that
   DuckDB takes to read it into NumPy. Both take turns; the ratio is of the medians.
2. Titanic, 5 folds of the raw file, several seeds: defaults beside scikit-learn's MLPClassifier
   and HistGradientBoostingClassifier, each behind a careful ColumnTransformer, on the same folds.
   Without a path it is left out.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import machine

ROWS = 1_000_000
LIMIT = 1.3
WITHIN = 0.01
_NUMBERS = ("Pclass", "Age", "SibSp", "Parch", "Fare")
_LABELS = ("Sex", "Embarked")


def write_csv(path: Path, rows: int) -> None:
    """Write 20 columns of fractions, 5 of whole numbers, 4 of labels, and a target of 0 and 1."""
    import duckdb

    columns = [f"round(random() * 1000 - 500, 4) AS n{i}" for i in range(20)]
    columns += [f"floor(random() * 100)::INT AS i{i}" for i in range(5)]
    columns += [
        f"'v' || floor(random() * {count})::INT AS c{i}" for i, count in enumerate((3, 8, 20, 50))
    ]
    columns.append("(random() > 0.5)::INT AS y")
    with duckdb.connect() as connection:
        connection.execute("SELECT setseed(0.5)")
        query = f"SELECT {', '.join(columns)} FROM range({rows})"
        connection.execute(f"COPY ({query}) TO '{path}' (HEADER)")


def read_alone(path: Path) -> float:
    """Time DuckDB alone."""
    import duckdb

    started = time.perf_counter()
    with duckdb.connect() as connection:
        connection.execute("SELECT * FROM read_csv(?)", [str(path)]).fetchnumpy()
    return time.perf_counter() - started


def read_ready(path: Path) -> float:
    """Time Surefoot from the file to the array."""
    from surefoot.data.encoding import fit
    from surefoot.data.tables import read_table

    started = time.perf_counter()
    table = read_table(str(path)).without(["y"])
    x = fit(table).apply(table)
    seconds = time.perf_counter() - started
    if len(x) != ROWS or x.dtype != np.float32 or not np.isfinite(x).all():
        raise RuntimeError(f"the array is {x.shape} {x.dtype}, or not finite")
    return seconds


def measure_speed(turns: int) -> float:
    """Print and return the ratio of the medians."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.csv")
        write_csv(path, ROWS)
        read_alone(path)  # the file is in the page cache, and the libraries are imported
        alone, ready = [], []
        for _ in range(turns):
            alone.append(read_alone(path))
            ready.append(read_ready(path))
    ratio = statistics.median(ready) / statistics.median(alone)
    print(
        f"CSV of {ROWS:,} × 30: DuckDB alone {statistics.median(alone):.2f} s, to a ready array "
        f"{statistics.median(ready):.2f} s: {ratio:.2f}× {'✓' if ratio <= LIMIT else '✗'} "
        f"(at most {LIMIT}×; turns {min(map(_over, ready, alone)):.2f} to "
        f"{max(map(_over, ready, alone)):.2f})"
    )
    return ratio


def _over(a: float, b: float) -> float:
    return a / b


def measure_titanic(path: Path, seeds: int) -> dict[str, float]:
    """Print and return mean accuracies over all folds and seeds."""
    from sklearn.model_selection import StratifiedKFold

    from surefoot.data.tables import read_table

    table = read_table(str(path))
    y = table["Survived"].plain()
    scores: dict[str, list[float]] = {"surefoot": [], "MLP": [], "HistGradientBoosting": []}
    for seed in range(seeds):
        for train, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(y, y):
            scores["surefoot"].append(_surefoot(table, train, test, seed))
            for name, model in _peers(seed).items():
                features, labels = _features(table, train), y[train]
                model.fit(features, labels)
                scores[name].append(model.score(_features(table, test), y[test]))
        print(f"seed {seed}: {_means(scores)}", file=sys.stderr, flush=True)
    means = {name: statistics.mean(values) for name, values in scores.items()}
    fits = means["surefoot"] >= means["MLP"]
    fits = fits and means["surefoot"] >= means["HistGradientBoosting"] - WITHIN
    print(f"Titanic, {seeds} seeds × 5 folds: {_means(scores)} {'✓' if fits else '✗'}")
    return means


def _means(scores: dict[str, list[float]]) -> str:
    return ", ".join(f"{name} {statistics.mean(values):.2%}" for name, values in scores.items())


def _surefoot(table, train, test, seed: int) -> float:
    """Train with defaults on a fold as `surefoot train FILE --target Survived --seed N` does."""
    import duckdb

    import surefoot as sf

    with tempfile.TemporaryDirectory() as folder:
        parts = {}
        for name, rows in (("train", train), ("test", test)):
            part = table.take(rows)
            parts[name] = str(Path(folder, f"{name}.csv"))
            with duckdb.connect() as connection:
                connection.register("part", {n: _objects(column) for n, column in part.items()})
                connection.sql("SELECT * FROM part").write_csv(parts[name])
        run = sf.train(parts["train"], target="Survived", seed=seed, out=Path(folder, "run"))
        return float((run.predict(parts["test"]) == table["Survived"].plain()[test]).mean())


def _objects(column):
    """Return a column as DuckDB takes it, missing values masked."""
    if column.labels is not None:
        values = np.array([*column.labels, None], object)[column.values]
        return np.array(values, object)
    if column.values.dtype.kind in "iub" and column.absent is not None:
        return np.ma.masked_array(column.values, column.absent)
    return column.values


def _features(table, rows):
    """Return numbers, then labels, as scikit-learn takes them."""
    part = table.take(rows)
    numbers = [np.where(part[n].missing, np.nan, part[n].values) for n in _NUMBERS]
    labels = [np.array([*part[n].labels, None], object)[part[n].values] for n in _LABELS]
    return np.column_stack([np.array(column, object) for column in (*numbers, *labels)])


def _peers(seed: int):
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    numbers, labels = list(range(5)), [5, 6]
    scaled = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    one_hot = make_pipeline(
        SimpleImputer(missing_values=None, strategy="most_frequent"),
        OneHotEncoder(handle_unknown="ignore"),
    )
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    return {
        "MLP": make_pipeline(
            ColumnTransformer([("n", scaled, numbers), ("c", one_hot, labels)]),
            MLPClassifier(max_iter=1000, random_state=seed),
        ),
        "HistGradientBoosting": make_pipeline(
            ColumnTransformer([("n", "passthrough", numbers), ("c", ordinal, labels)]),
            HistGradientBoostingClassifier(categorical_features=labels, random_state=seed),
        ),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Tables beside their peers.")
    parser.add_argument("titanic", type=Path, nargs="?", help="titanic.csv; left out without it")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--skip-speed", action="store_true")
    chosen = parser.parse_args()
    print("; ".join(f"{key} {value}" for key, value in machine.describe().items()), "\n")
    if not chosen.skip_speed:
        measure_speed(chosen.turns)
    if chosen.titanic:
        measure_titanic(chosen.titanic, chosen.seeds)
    else:
        print("Titanic: left out; give the path of titanic.csv")


if __name__ == "__main__":
    main()
