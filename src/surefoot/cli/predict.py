"""`surefoot predict`."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from surefoot.engine.disagreement import Disagreement
    from surefoot.engine.predictor import Predictor

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
    dropout: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="ask N nets that dropout thins at random, in place of the whole one",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="of what --dropout drops", min=0, max=2**32 - 1)] = 0,
    as_json: AsJson = False,
) -> None:
    """Predict with a trained network, or with an ensemble.

    Prints one line a row: the prediction, and the chance of each class where there are classes.
    Of an ensemble, and with --dropout, these are means, and how far the nets disagree follows.
    Lines of pictures begin with the file.
    """
    import numpy as np

    from surefoot.cli.output import console, print_json
    from surefoot.data.columns import name_some
    from surefoot.data.inputs import read_inputs
    from surefoot.data.picture_inputs import find_pictures
    from surefoot.engine.committee import Committee
    from surefoot.errors import DataError
    from surefoot.run import Run

    model = Run(run).predictor
    pictures = find_pictures(data, model.recipe.data.pictures)
    if pictures is None and len(data) > 1:
        raise DataError(f"{len(data)} sources were given: only pictures are predicted together")
    parts = [read_inputs(data[0])] if pictures is None else pictures.blocks()
    labels, chances_of, apart = [], [], []
    several = dropout is not None or isinstance(model, Committee)
    for x in parts:
        if several:
            found = model.disagreement(x, dropout, seed)
            apart.append(found)
            labels.append(found.predictions)
            chances_of.append(None if found.entropy is None else found.mean)
        else:
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
        if several:
            columns = _apart(apart, names)
            result["members"] = apart[0].members
            result["std"] = np.concatenate([own.std for own in apart]).tolist()
            result |= {
                name: columns[name].tolist()
                for name in ("entropy", "mutual_information")
                if name in columns
            }
        print_json(result)
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    header = ["prediction"] if model.target.size == 1 or model.target.kind == "classes" else names
    chances = [] if probabilities is None else [f"p({name})" for name in names]
    first = [] if pictures is None else ["file"]
    columns = _apart(apart, names)
    writer.writerow([*first, *header, *chances, *columns])
    for i, prediction in enumerate(predictions):
        own = prediction if isinstance(prediction, list) else [prediction]
        chance = [] if probabilities is None else [f"{p:.6g}" for p in probabilities[i]]
        name = [] if pictures is None else [pictures.files[i]]
        spread = [f"{column[i]:.6g}" for column in columns.values()]
        writer.writerow([*name, *own, *chance, *spread])


def _apart(found: list[Disagreement], names: list[str]) -> dict[str, NDArray[Any]]:
    """Return the columns that say how far members disagree; none where nothing was asked."""
    import numpy as np

    if not found:
        return {}
    std = np.concatenate([own.std for own in found])
    one = std.shape[1] == 1
    columns = {"std" if one else f"std({name})": std[:, i] for i, name in enumerate(names)}
    for name in ("entropy", "mutual_information"):
        if getattr(found[0], name) is not None:
            columns[name] = np.concatenate([getattr(own, name) for own in found])
    return columns


def _names(model: Predictor) -> list[str]:
    """Return what the outputs are called: classes, the columns of several targets, or numbers."""
    target, columns = model.target, model.recipe.data.target or ()
    if target.kind != "classes" and len(columns) == target.size:
        return list(columns)
    return [str(name) for name in target.classes or range(target.size)]
