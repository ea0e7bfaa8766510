"""Make a folder of today's formats: `python tests/formats/make.py tests/formats/N`, once a format.

What is in the folders is never made anew: later versions must open what earlier ones wrote.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import surefoot as sf
from surefoot.keeper import Keeper

KEYS = {"epochs": 4, "batch_size": 8, "vitals__every": 8, "vitals__first": 2}


def main(folder: Path) -> None:
    folder.mkdir()
    os.chdir(folder)
    rng = np.random.default_rng(0)
    size, colour = rng.normal(size=48), rng.choice(["red", "blue", "green"], 48)
    label = np.where((size > 0) ^ (colour == "red"), "yes", "no")
    rows = [f"{s:.3f},{c},{y}" for s, c, y in zip(size, colour, label, strict=True)]
    Path("rows.csv").write_text("\n".join(["size,colour,label", *rows]) + "\n")
    run = sf.train("rows.csv", net="mlp:4", out="run", data__target="label", **KEYS)
    stop, Keeper.stop = Keeper.stop, lambda self: self._step >= 8
    sf.train("rows.csv", net="mlp:4", out="stopped", data__target="label", **KEYS)
    Keeper.stop = stop
    sf.study(run.recipe, vary={"learning_rate": [0.01, 0.1]}, seeds=2, out="study")
    table = {"size": [0.5, -1.0, 2.0], "colour": ["red", "green", "blue"]}
    expected = {
        "rows": table,
        "probabilities": run.predict_proba(pd.DataFrame(table)).tolist(),
        "metrics": run.metrics,
        "steps": run.history.rows,
    }
    Path("expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
