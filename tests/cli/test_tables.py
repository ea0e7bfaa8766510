"""A table from the command line: train, and predict raw files."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

import surefoot as sf

FEW = ("--epochs", "2", "--net", "mlp:4")


def write(path, rows=60, header="id,age,sex,town,note,bought"):
    """Write people of 18 towns; they buy if they are young, of which some are missing."""
    rng = np.random.default_rng(0)
    lines = [header]
    for i in range(rows):
        age = rng.integers(18, 80)
        lines.append(
            f"{i},{'' if i % 7 == 3 else age},{'fm'[i % 2]},town {i % 18},"
            f"a long remark of many words on person {i},{'yes' if age < 45 else 'no'}"
        )
    Path(path).write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def shoppers(tmp_path_factory) -> Path:
    """A run on a table."""
    folder = tmp_path_factory.mktemp("shoppers")
    data = write(folder / "shoppers.csv")
    sf.train(data, target="bought", net="mlp:4", epochs=3, out=folder / "run")
    return folder / "run"


def test_train_prints_the_treatments(surefoot):
    write("t.csv")
    ended = surefoot("train", "t.csv", "--target", "bought", "--out", "run", *FEW, "--json")
    assert ended.code == 0, ended.err
    for words in ("id identifier left out", "age numeric standardized", "note text left out"):
        assert words in " ".join(ended.err.split())
    assert "FILE.csv" in ended.err
    assert set(json.loads(ended.out)["metrics"]) == {"train", "validation"}
    recipe = sf.Run("run").recipe
    assert recipe.data.target == ("bought",)
    assert recipe.to_dict()["net"]["layers"][0] == {"embedding": 9, "columns": [[4, 18]]}


def test_the_recipe_of_a_run_trains_the_same_again(surefoot):
    write("t.csv")
    assert surefoot("train", "t.csv", "--target", "bought", "--out", "a", *FEW).code == 0
    again = surefoot("train", "a/recipe.toml", "--out", "b")
    assert again.code == 0, again.err
    assert sf.Run("a").metrics == sf.Run("b").metrics


def test_predict_a_raw_file(surefoot, shoppers):
    write("with.csv", 9)
    write("without.csv", 9)
    rows = [line.rsplit(",", 1)[0] for line in Path("without.csv").read_text().splitlines()]
    Path("without.csv").write_text("\n".join(rows) + "\n")
    ended = surefoot("predict", shoppers, "with.csv")
    assert (ended.code, ended.err) == (0, "")
    header, *lines = csv.reader(io.StringIO(ended.out))
    assert header == ["prediction", "p(no)", "p(yes)"]
    assert len(lines) == 9
    for prediction, no, yes in lines:
        assert prediction == ("yes" if float(yes) > 0.5 else "no")
        assert float(no) + float(yes) == pytest.approx(1, abs=1e-4)
    assert surefoot("predict", shoppers, "without.csv").out == ended.out


def test_predict_with_other_columns(surefoot, shoppers):
    Path("more.csv").write_text("colour,town,sex,age\nred,town 3,f,31\nblue,elsewhere,x,\n")
    ended = surefoot("predict", shoppers, "more.csv")
    assert ended.code == 0
    assert "ignored: 'colour'" in ended.err
    assert len(ended.out.splitlines()) == 3
    Path("less.csv").write_text("town,sex\ntown 3,f\n")
    ended = surefoot("predict", shoppers, "less.csv")
    assert (ended.code, ended.out) == (2, "")
    assert "lacks the column 'age'" in ended.err
    assert ended.err.count("\n") == 1


def test_frames_are_predicted_as_files(shoppers):
    pd = pytest.importorskip("pandas")
    data = shoppers.parent / "shoppers.csv"
    run = sf.Run(shoppers)
    np.testing.assert_array_equal(run.predict(pd.read_csv(data)), run.predict(str(data)))
    np.testing.assert_array_equal(run.predict_proba(pd.read_csv(data)), run.predict_proba(data))
    with pytest.raises(sf.SurefootError, match="give a data frame"):
        run.predict(np.zeros((2, 3)))


def test_a_frame_trains_as_its_file(shoppers, folder):
    pd = pytest.importorskip("pandas")
    frame = pd.read_csv(shoppers.parent / "shoppers.csv")
    run = sf.train(frame, target="bought", net="mlp:4", epochs=3, out="run")
    assert run.metrics == sf.Run(shoppers).metrics


def test_train_begins_with_a_look_at_the_data(surefoot):
    lines = [
        "id,same,x,y",
        *(f"{i},7,{'' if i == 3 else i * 37 % 40},{'ab'[i % 4 == 0]}" for i in range(40)),
    ]
    Path("t.csv").write_text("\n".join(lines) + "\n")
    ended = surefoot("train", "t.csv", "--target", "y", "--out", "run", *FEW)
    assert ended.code == 0, ended.err
    for line in (
        "target: 2 classes: a 30, b 10",
        "missing values: 1",
        "1 column never changes: same",
    ):
        assert line in ended.err.splitlines()
    looked = surefoot("data", "t.csv", "--target", "y")
    assert "1 column never changes: same" in looked.out.splitlines()


def test_several_targets_keep_their_names(surefoot):
    lines = ["x,red,blue", *(f"{i / 40},{i % 2},{int(i > 19)}" for i in range(40))]
    Path("t.csv").write_text("\n".join(lines) + "\n")
    targets = ("--target", "red", "--target", "blue")
    assert surefoot("train", "t.csv", *targets, "--out", "run", *FEW).code == 0
    header = surefoot("predict", "run", "t.csv").out.splitlines()[0]
    assert header == "red,blue,p(red),p(blue)"


BAD = {
    "no target": ([], "say which column"),
    "another target": (["--target", "bougth"], "did you mean 'bought'"),
    "in capitals": (["--target", "BOUGHT"], "did you mean 'bought'"),
    "one column": (["--target", "bought", "--set", "data.columns.size=drop"], "data.columns"),
    "pictures' net": (["--target", "bought", "--net", "convnet"], "convolution needs pictures"),
}


@pytest.mark.parametrize(("options", "said"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_leaves_nothing(surefoot, folder, options, said):
    write("t.csv")
    ended = surefoot("train", "t.csv", *options)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1
    assert not Path("runs").exists()
