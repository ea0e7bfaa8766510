"""Charts of what a trained net does on rows that it did not train on."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from surefoot.report.charts import Chart, axis, plain, plot, series
from surefoot.report.words import figure

_URI = "data:image/png;base64,"


def prediction_charts(found: Mapping[str, Any]) -> list[Chart]:
    """Return the charts of an evaluation: confusions and calibration, or residuals."""
    made: list[Chart] = []
    if found.get("confusion"):
        made.append(_confusion(found))
    if found.get("calibration"):
        made.append(_reliability(found["calibration"]))
    if found.get("points"):
        made += [_against(found), _residuals(found)]
    return made


def _confusion(found: Mapping[str, Any]) -> Chart:
    names = [str(name) for name in found["classes"]]
    widest = max(len(name) for name in names)
    return {
        "name": "confusion",
        "kind": "matrix",
        "title": "Confusion",
        "about": "Rows are what is true, columns what the net says; right answers lie on the "
        "diagonal.",
        "x": axis("predicted", "category", categories=names),
        "y": axis("true", "category", categories=names),
        "cells": found["confusion"],
        "margin": min(60 + 7 * widest, 150),
        "size": "square",
    }


def _reliability(about: Mapping[str, Any]) -> Chart:
    notes = [f"{figure(n)} rows" for n in about["rows"]]
    return plot(
        "calibration",
        "Calibration",
        axis("chance that the net gives", low=0, high=1),
        axis("share that is right", low=0, high=1),
        [
            series(
                "share right",
                about["confidence"],
                about["accuracy"],
                role="train",
                notes=notes,
            )
        ],
        diagonal=[0, 1],
        about=f"Expected calibration error {figure(about['ece'])}: how far, on average, chances "
        "lie from what happens. On the dashed line they agree; below it the net is too sure.",
        size="square",
    )


def _against(found: Mapping[str, Any]) -> Chart:
    true, said = found["points"]["true"], found["points"]["said"]
    ends = [min([*true, *said], default=0.0), max([*true, *said], default=1.0)]
    return plot(
        "against",
        f"Predicted against true, {found.get('output', 'the target')}",
        axis("true"),
        axis("predicted"),
        [series("rows", true, said, mark="points", role="train")],
        diagonal=plain(ends),
        about="On the dashed line predictions are right.",
        size="square",
    )


def _residuals(found: Mapping[str, Any]) -> Chart:
    edges, counts = found["residuals"]["edges"], found["residuals"]["counts"]
    middles = [(a + b) / 2 for a, b in pairwise(edges)]
    return plot(
        "residuals",
        "Residuals",
        axis("predicted − true", "category", categories=[figure(float(m)) for m in middles]),
        axis("rows", low=0),
        [series("rows", list(range(len(counts))), counts, mark="bars", role=0)],
        size="square",
    )


def worst_examples(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the worst examples as the page shows them; pictures are checked to be pictures."""
    told = []
    for own in found.get("worst") or ():
        row, file = own.get("row"), own.get("file")
        picture = own.get("picture")
        told.append(
            {
                "true": str(own.get("true")),
                "predicted": str(own.get("predicted")),
                "chance": None if own.get("chance") is None else figure(own["chance"], "accuracy"),
                "where": str(file) if file else "" if row is None else f"row {figure(row)}",
                "picture": picture if _is_picture(picture) else None,
                "values": [(str(name), str(value)) for name, value in own.get("values") or ()],
            }
        )
    return told


def _is_picture(uri: Any) -> bool:
    if not isinstance(uri, str) or not uri.startswith(_URI):
        return False
    try:
        return base64.b64decode(uri[len(_URI) :], validate=True).startswith(b"\x89PNG")
    except (ValueError, binascii.Error):
        return False
