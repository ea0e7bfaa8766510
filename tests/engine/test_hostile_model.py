"""Models of somebody else: sizes are checked before memory is taken, names never lead out."""

from __future__ import annotations

import json
import shutil
import time

import numpy as np
import psutil
import pytest

import surefoot as sf
from surefoot.checksums import of_file, sealed
from surefoot.engine.model import Model
from surefoot.engine.tensors import read_tensors, write_tensors


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return sf.train("iris", net="mlp:4", epochs=1, out=tmp_path_factory.mktemp("runs") / "run").path


@pytest.fixture
def folder(good, tmp_path):
    for name in ("model.json", "model.safetensors"):
        shutil.copy(good / name, tmp_path / name)
    return tmp_path


def _rewrite(folder, change):
    """Change what `model.json` says, and give it a right checksum, as somebody hostile would."""
    path = folder / "model.json"
    about = json.loads(path.read_text())
    del about["sha256"]
    change(about)
    path.write_text(json.dumps(sealed(about)))


def _layers(about):
    return about["recipe"]["net"]["layers"]


HOSTILE = {
    "a wide layer": lambda about: _layers(about)[0].update(dense=1_000_000_000),
    "a deep net": lambda about: _layers(about).insert(
        1, {"repeat": 1_000_000_000, "layers": [{"dense": 4}]}
    ),
    "many inputs": lambda about: about.update(feature_shape=[1_000_000_000]),
    "many dimensions": lambda about: about.update(feature_shape=[4] * 100),
    "negative inputs": lambda about: about.update(feature_shape=[-4]),
    "inputs in words": lambda about: about.update(feature_shape="four"),
    "no shape": lambda about: about.pop("feature_shape"),
    "no recipe": lambda about: about.update(recipe=[]),
    "many classes": lambda about: about["target"].update(size=10**9),
    "no target": lambda about: about.update(target=None),
    "an encoding of nothing": lambda about: about.update(encoding={"features": [{}]}),
    "format of tomorrow": lambda about: about.update(format=99),
    "format as a list": lambda about: about.update(format=[]),
    "no checksum of arrays": lambda about: about.pop("arrays"),
    "another file": lambda about: about["arrays"].update(sha256="../../etc/passwd"),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_one_line_and_little_memory_and_time(folder, change):
    _rewrite(folder, change)
    before, started = psutil.Process().memory_info().rss, time.monotonic()
    with pytest.raises(sf.RunError) as refused:
        Model.load(folder)
    assert "\n" not in str(refused.value)
    assert psutil.Process().memory_info().rss - before < 300e6
    assert time.monotonic() - started < 20


def test_weights_that_are_not_finite_are_neither_read_nor_saved(folder):
    arrays = read_tensors(folder / "model.safetensors")
    arrays["params.0.kernel"][0, 0] = np.inf
    write_tensors(folder / "model.safetensors", arrays)
    known = of_file(folder / "model.safetensors")
    _rewrite(folder, lambda about: about.update(arrays=known))
    with pytest.raises(sf.RunError, match=r"params\.0\.kernel holds values that are not finite"):
        Model.load(folder)


def test_a_model_with_weights_that_are_not_finite_is_not_saved(folder, tmp_path):
    model = Model.load(folder)
    model.params[0]["kernel"][0, 0] = np.nan
    (tmp_path / "new").mkdir()
    with pytest.raises(sf.TrainingError, match=r"params\.0\.kernel holds values that are not"):
        model.save(tmp_path / "new")
    assert not list((tmp_path / "new").iterdir())


def test_a_model_of_format_1_is_read_and_its_checksums_count_if_there_are_any(folder):
    rows = np.zeros((2, 4))
    expected = Model.load(folder).outputs(rows)
    path = folder / "model.json"
    about = json.loads(path.read_text())
    path.write_text(json.dumps({**about, "format": 1}))
    with pytest.raises(sf.RunError, match="was altered"):
        Model.load(folder)
    old = {k: v for k, v in about.items() if k not in ("sha256", "arrays")}
    path.write_text(json.dumps({**old, "format": 1}))
    np.testing.assert_array_equal(Model.load(folder).outputs(rows), expected)


def test_nothing_is_ever_unpickled(folder):
    import pickle

    (folder / "model.safetensors").write_bytes(pickle.dumps({"params.0.kernel": np.zeros(4)}))
    known = of_file(folder / "model.safetensors")
    _rewrite(folder, lambda about: about.update(arrays=known))
    with pytest.raises(sf.RunError, match="not a readable safetensors file"):
        Model.load(folder)
