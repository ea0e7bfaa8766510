"""`surefoot predict`."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object")]


def predict(
    run: Annotated[Path, typer.Argument(help="the folder of a finished run", show_default=False)],
    data: Annotated[
        str, typer.Argument(help="rows to predict: a .npz file with x, or a built-in set")
    ],
    as_json: AsJson = False,
) -> None:
    """Predict with a trained network.

    Prints one line a row: the prediction, and the chance of each class where there are classes.
    """
    from surefoot.cli.output import print_json
    from surefoot.data.inputs import read_inputs
    from surefoot.run import Run

    model = Run(run).model
    x = read_inputs(data)
    predictions = model.predict(x).tolist()
    probabilities = model.probabilities(x)
    names = [str(name) for name in model.target.classes or range(model.target.size)]
    if as_json:
        result: dict[str, Any] = {"run": str(run), "rows": len(predictions)}
        result["predictions"] = predictions
        if probabilities is not None:
            result["classes"] = list(model.target.classes or names)
            result["probabilities"] = probabilities.tolist()
        print_json(result)
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    header = ["prediction"] if model.target.size == 1 or model.target.kind == "classes" else names
    chances = [] if probabilities is None else [f"p({name})" for name in names]
    writer.writerow([*header, *chances])
    for i, prediction in enumerate(predictions):
        own = prediction if isinstance(prediction, list) else [prediction]
        chance = [] if probabilities is None else [f"{p:.6g}" for p in probabilities[i]]
        writer.writerow([*own, *chance])
