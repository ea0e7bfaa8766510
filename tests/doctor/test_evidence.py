"""What the doctor reads: any table is put in order, and what is not there is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from surefoot.doctor.evidence import Evidence
from surefoot.doctor.rows import readable
from surefoot.vitals.columns import METRIC_COLUMNS, VITAL_COLUMNS
from surefoot.vitals.table import Table


def test_a_vital_sign_is_records_by_layers(evidence):
    steps = np.arange(55)[:, None] + np.arange(6) / 10
    known = evidence(vitals={"signal_rms": steps})
    assert known.vital("signal_rms").tolist() == steps.tolist()
    assert [layer.name for layer in known.layers] == ["1", "2", "3", "4", "5", "6"]
    assert [layer.is_linear for layer in known.layers] == [True, False] * 3
    assert [layer.is_activation for layer in known.layers] == [False, True] * 3
    assert known.recorded[:18].tolist() == [*range(16), 16, 32]
    assert (known.steps, known.epoch_steps, known.progress) == (640, 32, 1.0)


def test_rows_in_any_order_are_the_same_rows(evidence):
    known = evidence(vitals={"signal_rms": np.arange(55)[:, None]})
    mixed = np.random.default_rng(0).permutation(known.vitals.rows)
    turned = np.arange(639, -1, -1)
    shuffled = dataclasses.replace(
        known,
        vitals=Table({name: column[mixed] for name, column in known.vitals.items()}),
        metrics=Table({name: column[turned] for name, column in known.metrics.items()}),
    )
    assert shuffled.vital("signal_rms").tolist() == known.vital("signal_rms").tolist()
    assert shuffled.metric("loss").tolist() == known.metric("loss").tolist()


def test_a_record_that_was_cut_off_is_left_out(evidence):
    known = evidence()
    cut = Table({name: column[:-2] for name, column in known.vitals.items()})
    assert dataclasses.replace(known, vitals=cut).recorded.tolist() == known.recorded[:-1].tolist()


def test_of_rows_that_repeat_the_last_one_counts(evidence):
    known = evidence()
    again = {name: np.append(column, column[-1:]) for name, column in known.metrics.items()}
    again["loss"][-1] = 9.0
    resumed = dataclasses.replace(known, metrics=Table(again))
    assert (resumed.steps, len(resumed.metric("loss"))) == (640, 640)
    assert resumed.metric("loss")[-1] == 9.0


def test_until_a_step_only_what_was_known_then_is_there(evidence):
    early = evidence().until(20)
    assert (early.steps, len(early.metric("loss"))) == (20, 20)
    assert early.recorded.tolist() == [*range(16), 16]
    assert early.total_steps == 640
    assert early.progress == 20 / 640
    assert early.until(10).progress == 10 / 640


def test_what_is_lacking_is_named(evidence):
    assert evidence().lacking == ()
    assert evidence(without=("loss", "unit_spread")).lacking == ("loss", "unit_spread")
    placeless = evidence(without=("kind",))
    assert placeless.lacking == ("kind", *VITAL_COLUMNS)
    assert placeless.layers == ()
    nothing = Evidence(evidence().recipe, Table({}), Table({}), {})
    assert set(nothing.lacking) >= {*METRIC_COLUMNS, *VITAL_COLUMNS}
    assert (nothing.steps, nothing.epoch_steps, nothing.vital("signal_rms").shape) == (0, 1, (0, 0))


def test_a_column_of_texts_is_lacking(evidence):
    known = evidence()
    foreign = Table({**known.metrics, "loss": np.full(640, "?")})
    assert dataclasses.replace(known, metrics=foreign).lacking == ("loss",)


def test_without_a_step_rows_of_the_metrics_are_steps(evidence):
    known = evidence(without=("step",), steps=7)
    assert known.steps == 7
    assert known.metric("step").tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_validation_is_where_it_was_measured(evidence):
    steps, losses, measured = evidence(steps=64).validation
    assert steps.tolist() == [31, 63]
    assert len(losses) == len(measured) == 2


@pytest.mark.parametrize("column", ["accuracy", "rmse"])
def test_the_measure_is_the_column_that_is_filled(evidence, column):
    filled = {"accuracy": np.nan, "rmse": np.nan, column: 0.5}
    assert evidence(metrics=filled).measure == column


@pytest.mark.parametrize("value", [None, "3", True, [1], {}])
def test_a_fact_that_is_no_number_is_not_known(evidence, value):
    known = evidence(facts={"prepared": {"rows": value}})
    assert np.isnan(known.number("prepared", "rows"))
    assert np.isnan(known.number("prepared", "rows", "deeper"))


@pytest.mark.parametrize("value", [None, "3", [1, None], [-1], [np.nan], ["1"]])
def test_a_list_that_holds_no_counts_is_empty(evidence, value):
    counts = evidence(facts={"prepared": {"shape": value}}).numbers("prepared", "shape")
    assert len(counts) == 0


def test_rows_whose_step_is_no_step_are_left_out():
    steps = np.array([np.nan, 2.0, -1.0, 0.5, np.inf, 0.0, 1e300])
    table = readable({"step": steps, "loss": np.arange(7.0)}, (), ("step",))
    assert table["step"].tolist() == [0, 2]
    assert table["step"].dtype == np.int64
    assert table["loss"].tolist() == [5.0, 1.0]


def test_a_table_in_order_is_not_copied():
    loss = np.arange(3.0)
    table = readable({"step": np.arange(3), "loss": loss}, (), ("step",))
    assert np.shares_memory(table["loss"], loss)
