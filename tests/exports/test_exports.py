"""Runs for other programs: read back by those programs."""

from __future__ import annotations

import importlib.util
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import surefoot as sf
from surefoot.errors import InputError, RunError
from surefoot.exports.pictures import chart_names, export_chart
from surefoot.exports.tables import export_table
from surefoot.vitals.table import TableWriter

_MISSING = {name: importlib.util.find_spec(name) is None for name in ("tensorboard", "mlflow")}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("it's [a] runs' folder")
    return sf.train("iris", net="mlp:4", epochs=3, out=folder / "run")


@pytest.mark.parametrize("name", ["metrics", "vitals"])
def test_a_table_comes_back_as_it_was(run, tmp_path, name):
    table = run.history if name == "metrics" else run.vitals
    for ending, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        to = tmp_path / f"it's {name}{ending}"
        assert export_table(run.path, name, to) == table.rows
        back = read(to)
        assert list(back.columns) == list(table)
        for column in ("step", "loss" if name == "metrics" else "weight_rms"):
            np.testing.assert_allclose(back[column], table[column], rtol=1e-6)
    assert not list(tmp_path.glob("*.tmp"))


def test_in_csv_what_was_not_measured_is_empty(run, tmp_path):
    export_table(run.path, "metrics", tmp_path / "m.csv")
    text = (tmp_path / "m.csv").read_text()
    assert "nan" not in text.lower()
    assert ",," in text


def test_a_run_in_progress_gives_what_there_is(tmp_path):
    writer = TableWriter(tmp_path, "metrics")
    writer.append({"step": np.arange(3), "loss": np.ones(3, np.float32)})
    writer.flush()
    assert export_table(tmp_path, "metrics", tmp_path / "m.parquet") == 3


def test_charts_are_named_and_drawn(run, tmp_path):
    names = chart_names(run.path)
    assert {"loss", "accuracy", "rate", "layers", "weight_rms", "confusion"} <= set(names)
    export_chart(run.path, "weight_rms", tmp_path / "w.svg")
    assert "size of weights" in (tmp_path / "w.svg").read_text(encoding="utf-8")
    export_chart(run.path, "loss", tmp_path / "l.png")
    assert Image.open(BytesIO((tmp_path / "l.png").read_bytes())).size == (1520, 800)


def test_what_cannot_be_exported_is_said_and_nothing_is_left(run, tmp_path):
    (tmp_path / "there.csv").write_text("mine")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "metrics.parquet").write_bytes(b"no table")
    wrong = [
        (lambda: export_table(run.path, "metrics", tmp_path / "m.txt"), InputError, "ends in .csv"),
        (lambda: export_table(run.path, "metrics", tmp_path / "there.csv"), InputError, "exists"),
        (lambda: export_table(run.path, "metric", tmp_path / "m.csv"), RunError, "mean 'metrics'"),
        (lambda: export_table(tmp_path / "no", "m", tmp_path / "m.csv"), RunError, "no such fold"),
        (
            lambda: export_table(tmp_path / "broken", "metrics", tmp_path / "m.csv"),
            RunError,
            "metrics",
        ),
        (
            lambda: export_table(run.path, "metrics", tmp_path / "no" / "m.csv"),
            InputError,
            "there is no folder",
        ),
        (lambda: export_chart(run.path, "los", tmp_path / "m.png"), InputError, "mean 'loss'"),
        (lambda: export_chart(run.path, "loss", tmp_path / "m.gif"), InputError, "ends in .png"),
    ]
    before = sorted(tmp_path.iterdir())
    for call, kind, words in wrong:
        with pytest.raises(kind, match=words) as error:
            call()
        assert len(str(error.value).splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(
    _MISSING["tensorboard"], reason="surefoot[tensorboard] is not installed: nothing was read back"
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_reads_the_event_file(run, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from surefoot.exports.tensorboard import export_tensorboard

    path = export_tensorboard(run.path, tmp_path / "logs")
    told = EventAccumulator(str(path.parent), size_guidance={"scalars": 0}).Reload()
    loss = told.Scalars("train/loss")
    assert [event.step for event in loss] == run.history["step"].tolist()
    np.testing.assert_allclose([event.value for event in loss], run.history["loss"], rtol=1e-6)
    first = run.vitals["layer"] == "1"
    weights = told.Scalars("weight_rms/1 dense")
    np.testing.assert_allclose(
        [event.value for event in weights], run.vitals["weight_rms"][first], rtol=1e-6
    )
    assert any("recipe" in tag for tag in told.Tags()["tensors"])
    with pytest.raises(RunError, match="exists already"):
        export_tensorboard(run.path, tmp_path / "logs")


@pytest.mark.skipif(
    _MISSING["mlflow"], reason="surefoot[mlflow] is not installed: nothing was read back"
)
@pytest.mark.filterwarnings("ignore")
def test_mlflow_reads_the_run(run, tmp_path, monkeypatch):
    from mlflow import MlflowClient

    from surefoot.exports.mlflow import export_mlflow

    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    made = export_mlflow(run.path, uri)
    client = MlflowClient(tracking_uri=uri)
    told = client.get_run(made)
    assert told.info.status == "FINISHED"
    assert told.data.params["train.epochs"] == "3"
    assert told.data.tags["surefoot.verdict"] == run.summary["verdict"]
    loss = client.get_metric_history(made, "train/loss")
    np.testing.assert_allclose([m.value for m in loss], run.history["loss"], rtol=1e-6)
    assert {file.path for file in client.list_artifacts(made)} >= {"recipe.toml", "vitals.parquet"}
    with pytest.raises(RunError, match="--mlflow nope://"):
        export_mlflow(run.path, "nope://x")


@pytest.mark.parametrize("extra", ["tensorboard", "mlflow"])
def test_a_missing_extra_is_named_with_the_command_that_installs_it(run, tmp_path, extra):
    if not _MISSING[extra]:
        pytest.skip(f"{extra} is installed: that it is missing cannot be tried")
    from surefoot.exports.mlflow import export_mlflow
    from surefoot.exports.tensorboard import export_tensorboard

    call = {"tensorboard": export_tensorboard, "mlflow": export_mlflow}[extra]
    with pytest.raises(InputError, match=rf"pip install 'surefoot\[{extra}\]'"):
        call(run.path, tmp_path / "x")
