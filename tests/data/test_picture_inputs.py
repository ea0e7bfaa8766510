"""Predicting pictures: a file, a pattern, a folder, through a run that was trained on a folder."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import surefoot as sf
from surefoot.cli.app import main
from surefoot.data.picture_inputs import find_pictures
from surefoot.errors import DataError
from surefoot.recipe.data import Pictures

COMPLETE = Pictures(size=(16, 16), color="rgb")


@pytest.fixture(scope="module")
def place(tmp_path_factory, classes) -> Path:
    """Return a folder with pictures, and a run on them that is always right."""
    place = tmp_path_factory.mktemp("pictures")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(place / "cache"))
        classes(place / "data" / "train", {"dark": 20, "light": 20})
        classes(place / "data" / "val", {"dark": 4, "light": 4}, first=500)
        run = sf.train(str(place / "data"), net="mlp:4", epochs=20, out=place / "run", lr=0.01)
    assert run.metrics["validation"]["accuracy"] == 1
    return place


@pytest.fixture
def predict(place, capsys, monkeypatch):
    """Run `surefoot predict` beside the pictures; return exit code and both streams."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(place / "xla"))

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["predict", "run", *arguments])
        written = capsys.readouterr()
        return int(ended.value.code or 0), written.out, written.err

    return run


def test_the_run_knows_what_was_chosen(place):
    pictures = sf.Run(place / "run").recipe.data.pictures
    assert (pictures.size, pictures.color) == ((16, 16), "rgb")


def test_one_picture(predict):
    code, out, err = predict("data/val/light/000.png")
    assert (code, err) == (0, "")
    header, row = csv.reader(io.StringIO(out))
    assert header == ["file", "prediction", "p(dark)", "p(light)"]
    assert row[:2] == ["data/val/light/000.png", "light"]
    assert float(row[2]) + float(row[3]) == pytest.approx(1, abs=1e-5)


def test_a_folder_in_order(predict):
    code, out, _ = predict("data/val", "--json")
    result = json.loads(out)
    assert code == 0
    assert result["files"] == [
        f"data/val/{kind}/{i:03}.png" for kind in ("dark", "light") for i in range(4)
    ]
    assert result["predictions"] == ["dark"] * 4 + ["light"] * 4
    assert result["rows"] == 8
    assert np.shape(result["probabilities"]) == (8, 2)


def test_patterns_and_several_files(predict):
    once = json.loads(predict("data/val/*/00[01].png", "--json")[1])
    assert once["predictions"] == ["dark", "dark", "light", "light"]
    assert json.loads(predict(*once["files"], "--json")[1]) == once


def test_the_command_agrees_with_python(place, predict):
    result = json.loads(predict("data/val/dark", "--json")[1])
    pixels = np.stack([np.asarray(Image.open(place / name)) for name in result["files"]])
    chances = sf.Run(place / "run").predict_proba(pixels)
    np.testing.assert_allclose(chances, result["probabilities"], rtol=1e-6)


def test_pictures_are_made_as_for_training(place, predict, picture, save):
    given = save(place / "odd" / "large.jpg", picture(64, 48), quality=95)
    result = json.loads(predict(str(given), "--json")[1])
    middle = Image.fromarray(picture(64, 48)).crop((0, 8, 48, 56)).resize((16, 16))
    own = sf.Run(place / "run").predict_proba(np.asarray(middle)[None])
    np.testing.assert_allclose(result["probabilities"], own, atol=0.05)


def test_an_unreadable_one_among_many_is_named(place, predict):
    for i in range(200):
        shutil.copy(place / "data" / "val" / "dark" / "000.png", _made(place / f"many/{i:03}.png"))
    (place / "many" / "077.png").write_bytes(b"")
    code, out, err = predict("many", "--json")
    result = json.loads(out)
    assert (code, result["rows"], len(result["files"])) == (0, 199, 199)
    assert "many/077.png" not in result["files"]
    assert err == "1 picture of 200 in 'many' left out: 'many/077.png' (empty)\n"


def _made(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    return path


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        (["none.jpg"], "there is no file 'none.jpg'"),
        (["*.jpeg"], "matches nothing"),
        (["run/*.toml"], "matches 1 file and no picture"),
        (["empty"], "'empty' holds no pictures"),
        (["bad.png"], "1 picture of 1 in 'bad.png' cannot be read"),
        (["data/val/dark/000.png", "iris"], "'iris' is no picture, and others are"),
        (["iris", "wine"], "only pictures are predicted together"),
    ],
)
def test_bad_input_is_one_line(place, predict, sources, said):
    (place / "empty").mkdir(exist_ok=True)
    (place / "bad.png").write_bytes(b"no picture")
    code, out, err = predict(*sources, "--json")
    assert (code, out) == (2, "")
    assert err.startswith("surefoot: ")
    assert err.count("\n") == 1
    assert said in err


def test_a_run_on_other_rows_takes_no_pictures(place):
    source = str(place / "data" / "val" / "dark")
    with pytest.raises(DataError, match="not trained on picture files"):
        find_pictures([source], Pictures())
    assert find_pictures(["iris"], Pictures()) is None


def test_blocks_keep_the_order(place, monkeypatch):
    monkeypatch.setattr("surefoot.data.picture_inputs._BLOCK", 3)
    inputs = find_pictures([str(place / "data" / "val")], COMPLETE)
    blocks = list(inputs.blocks())
    assert [len(block) for block in blocks] == [3, 3, 2]
    for pixels, name in zip(np.concatenate(blocks), inputs.files, strict=True):
        np.testing.assert_array_equal(pixels, np.asarray(Image.open(name)))
