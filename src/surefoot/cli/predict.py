"""`surefoot predict`."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

if TYPE_CHECKING:
    from surefoot.engine.model import Model

AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object")]


def predict(
    run: Annotated[Path, typer.Argument(help="the folder of a finished run", show_default=False)],
    data: Annotated[
        list[str],
        typer.Argument(
            help="rows to predict: a table, a .npz file with x, or a built-in set; pictures, a "
            "pattern such as '*.jpg', or a folder of pictures",
            show_default=False,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Predict with a trained network.

    Prints one line a row: the prediction, and the chance of each class where there are classes.
    Lines of pictures begin with the file.
    """
    from surefoot.cli.output import console, print_json
    from surefoot.data.columns import name_some
    from surefoot.data.inputs import read_inputs
    from surefoot.data.picture_inputs import find_pictures
    from surefoot.errors import DataError
    from surefoot.run import Run

    model = Run(run).model
    pictures = find_pictures(data, model.recipe.data.pictures)
    if pictures is None and len(data) > 1:
        raise DataError(f"{len(data)} sources were given: only pictures are predicted together")
    parts = [read_inputs(data[0])] if pictures is None else pictures.blocks()
    labels, chances_of = [], []
    for x in parts:
        labels.append(model.predict(x))
        chances_of.append(model.probabilities(x))
    predictions = [label for part in labels for label in part.tolist()]
    probabilities = None if chances_of[0] is None else np.concatenate(chances_of)
    notes = list(pictures.notes) if pictures else []
    if model.encoding is not None and (extra := model.encoding.extra(x)):
        notes.append(f"columns that the net was not trained on are ignored: {name_some(extra)}")
    for note in notes:
        console(False).print(note, markup=False, soft_wrap=True)
    names = _names(model)
    if as_json:
        result: dict[str, Any] = {"run": str(run), "rows": len(predictions)}
        if pictures is not None:
            result["files"] = pictures.files
        result["predictions"] = predictions
        if probabilities is not None:
            result["classes"] = list(model.target.classes or names)
            result["probabilities"] = probabilities.tolist()
        print_json(result)
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    header = ["prediction"] if model.target.size == 1 or model.target.kind == "classes" else names
    chances = [] if probabilities is None else [f"p({name})" for name in names]
    first = [] if pictures is None else ["file"]
    writer.writerow([*first, *header, *chances])
    for i, prediction in enumerate(predictions):
        own = prediction if isinstance(prediction, list) else [prediction]
        chance = [] if probabilities is None else [f"{p:.6g}" for p in probabilities[i]]
        name = [] if pictures is None else [pictures.files[i]]
        writer.writerow([*name, *own, *chance])


def _names(model: Model) -> list[str]:
    """Return what the outputs are called: classes, the columns of several targets, or numbers."""
    target, columns = model.target, model.recipe.data.target or ()
    if target.kind != "classes" and len(columns) == target.size:
        return list(columns)
    return [str(name) for name in target.classes or range(target.size)]
