"""Whatever the tables hold, the doctor answers: nothing raises, and all of it is JSON."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surefoot.doctor.diagnosis import examine
from surefoot.files import finite
from surefoot.vitals.columns import METRIC_COLUMNS, VITAL_COLUMNS
from surefoot.vitals.table import Table

NUMBERS = (np.nan, np.inf, -np.inf, 0.0, -1.0, 1e-300, 1e-38, 0.5, 1.0, 3.0, 1e4, 1e38, 1e300)
_NETS = (
    ({"dense": "classes"},),
    ({"activation": "relu"},),
    ({"dense": 4}, {"activation": "tanh"}, {"dense": "classes"}, {"activation": "softmax"}),
    (
        {"batch_norm": {}},
        {"repeat": 8, "layers": [{"dense": 8}, {"activation": "sigmoid"}]},
        {"dropout": 0.9},
        {"dense": "classes"},
        {"activation": "softmax"},
    ),
    (
        {"conv": 4, "size": 3},
        {"activation": "relu"},
        {"residual": [{"conv": 4, "size": 3}, {"activation": "relu"}]},
        {"flatten": {}},
        {"dense": 1},
        {"activation": "softmax"},
    ),
)
_RECIPES = (
    {},
    {"train.loss": "mean_squared_error", "data.standardize": False},
    {"train.clip_norm": 1e-6, "train.batch_size": 1, "optimizer": "sgd"},
    {"train.loss": "mean_absolute_error", "train.batch_size": "full"},
    {"optimizer": {"name": "adamw", "weight_decay": 3.0}, "train.clip_value": 1e-9},
    {"optimizer": {"name": "optax.lion"}, "train.class_weight": "balanced"},
    {"optimizer": {"name": "custom"}, "data.validation": 0.0, "seed": 2**32 - 1},
)
_value = st.sampled_from(NUMBERS)
_facts = st.recursive(
    st.one_of(
        st.none(), st.booleans(), _value, st.integers(-3, 10**6), st.text(max_size=3), st.just([])
    ),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
_PATHS = (
    *(("prepared", name) for name in ("rows", "shape", "inputs", "targets")),
    *(("prepared", "inputs", name) for name in ("rms", "std", "varying", "middle", "largest")),
    *(
        ("prepared", "targets", name)
        for name in ("kind", "size", "counts", "validation_counts", "mean", "std", "shares")
    ),
    ("reference",),
    *(("reference", name) for name in ("measure", "best", "chance", "held_out_train")),
)


def _spoil_column(draw, column):
    """Put odd numbers in some or all rows of a column."""
    column = np.array(column, np.float64)
    if len(column) and draw(st.booleans()):
        column[:] = draw(_value)
    for place in draw(st.lists(st.integers(0, max(len(column) - 1, 0)), max_size=4)):
        column[place : place + 1] = draw(_value)
    return column


def _spoil_table(draw, table, names):
    """Change, take out and add columns; cut rows off, repeat them, or mix them up."""
    columns = dict(table)
    for name in draw(st.lists(st.sampled_from([*names, "step"]), max_size=4, unique=True)):
        if name in columns:
            columns[name] = _spoil_column(draw, columns[name])
    for name in draw(st.lists(st.sampled_from(list(columns)), max_size=3, unique=True)):
        del columns[name]
    for name in draw(st.lists(st.sampled_from(list(columns)), max_size=1)) if columns else ():
        columns[name] = np.full(len(columns[name]), "?", dtype=object)
    rows = len(next(iter(columns.values()), ()))
    columns |= {"foreign": np.full(rows, "?")} if draw(st.booleans()) else {}
    order = np.arange(rows)
    change = draw(st.sampled_from(("none", "cut", "empty", "one", "mixed", "repeated")))
    if change == "cut":
        order = order[: draw(st.integers(0, rows))]
    elif change == "mixed":
        order = np.random.default_rng(draw(st.integers(0, 9))).permutation(rows)
    elif change == "repeated":
        order = np.concatenate([order, order[: draw(st.integers(0, rows))]])
    else:
        order = order[: {"none": rows, "empty": 0, "one": 1}[change]]
    return Table({name: np.asarray(column)[order] for name, column in columns.items()})


@st.composite
def anything(draw, make):
    """Evidence of a run that nobody would have on purpose."""
    steps = draw(st.sampled_from((1, 2, 3, 20, 100, 640)))
    given_evidence = make(
        layers=draw(st.sampled_from(_NETS)),
        recipe=draw(st.sampled_from(_RECIPES)),
        steps=steps,
        total_steps=draw(st.sampled_from((None, 0, 1, steps, 10 * steps))),
    )
    facts = json.loads(json.dumps(dict(given_evidence.facts)))
    for path in draw(st.lists(st.sampled_from(_PATHS), max_size=3)):
        place = facts
        for name in path[:-1]:
            place = place[name] if isinstance(place.get(name), dict) else {}
        place[path[-1]] = draw(_facts)
    points = ({}, {"step": "?"}, {"loss": 1.0, "gradient_norm": 0.0}, {"loss": 1.0, "step": np.nan})
    curvature = draw(st.sampled_from((None, *points)))
    return dataclasses.replace(
        given_evidence,
        metrics=_spoil_table(draw, given_evidence.metrics, METRIC_COLUMNS),
        vitals=_spoil_table(draw, given_evidence.vitals, VITAL_COLUMNS),
        facts=facts,
        curvature=None
        if curvature is None
        else Table({name: np.asarray([value]) for name, value in curvature.items()}),
    )


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_odd_tables_are_answered(evidence, data):
    odd = data.draw(anything(evidence))
    for known in (odd, odd.until(10)):
        diagnosis = examine(known)
        assert (diagnosis.verdict == "healthy") == (diagnosis.root_cause is None)
        json.dumps(finite(diagnosis.to_dict()), allow_nan=False)
        for finding in diagnosis.findings:
            for remedy in finding.remedies:
                remedy.apply(odd.recipe)


@pytest.mark.parametrize("name", [*METRIC_COLUMNS, *VITAL_COLUMNS])
def test_a_column_that_is_not_there_is_named_and_the_others_are_read(evidence, name):
    sick = evidence(without=(name,), facts={"prepared": {"inputs": {"rms": 300.0, "std": 300.0}}})
    assert name in sick.lacking
    assert "unscaled-inputs" in {finding.id for finding in examine(sick).findings}
