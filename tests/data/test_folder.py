"""Which pictures are found in a folder, under which class, and what is said of the rest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from surefoot.data.folder import list_classes, list_pictures
from surefoot.errors import DataError


@pytest.fixture
def touch(tmp_path):
    """Make files of one byte below a folder, and return the folder."""

    def make(*paths: str) -> Path:
        for path in paths:
            file = tmp_path / "data" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x")
        return tmp_path / "data"

    return make


def found(files) -> list[str]:
    """Return the paths alone."""
    return [file.path for file in files]


def test_folders_are_classes_and_files_are_found_at_any_depth(touch):
    root = touch("dogs/b.JPG", "dogs/deep/er/a.jpeg", "cats/c.png", "cats/.d.png", ".git/e.png")
    listing = list_classes(str(root))
    assert list(listing.train) == ["cats", "dogs"]
    assert found(listing.train["cats"]) == ["cats/c.png"]
    assert found(listing.train["dogs"]) == ["dogs/b.JPG", "dogs/deep/er/a.jpeg"]
    assert listing.validation is None
    assert listing.notes == ()


@pytest.mark.parametrize("held_out", ["test", "val", "Valid", "VALIDATION", "testing"])
@pytest.mark.parametrize("train", ["train", "Training"])
def test_train_and_test_above_the_classes(touch, train, held_out):
    root = touch(
        f"{train}/a/1.png", f"{train}/b/2.png", f"{held_out}/a/3.png", f"{held_out}/b/4.bmp"
    )
    listing = list_classes(str(root))
    assert {name: found(files) for name, files in listing.train.items()} == {
        "a": [f"{train}/a/1.png"],
        "b": [f"{train}/b/2.png"],
    }
    assert found(listing.validation["b"]) == [f"{held_out}/b/4.bmp"]


def test_of_val_and_test_the_test_is_left_for_predicting(touch):
    root = touch("train/a/1.png", "train/b/2.png", "val/a/3.png", "test/a/4.png", "more/a/5.png")
    listing = list_classes(str(root))
    assert {name: found(files) for name, files in listing.validation.items()} == {
        "a": ["val/a/3.png"]
    }
    assert listing.notes == (
        "'more', 'test' beside 'train' left out",
        "'val' has no pictures of 'b'",
    )


def test_train_alone_is_split_later(touch):
    listing = list_classes(str(touch("train/a/1.png", "train/b/2.png")))
    assert list(listing.train) == ["a", "b"]
    assert listing.validation is None


def test_a_class_may_be_called_train(touch):
    listing = list_classes(str(touch("train/1.png", "bus/2.png")))
    assert list(listing.train) == ["bus", "train"]


def test_odd_names_work(touch):
    names = [
        "<script>alert(1)</script>".replace("/", "∕"),
        "日本 語",
        "a'b\"c",
        "-x",
        "100%",
        "e\u0301",
    ]
    listing = list_classes(str(touch(*(f"{name}/1.png" for name in names))))
    assert set(listing.train) == {*names[:-1], "\xe9"}


def test_what_is_no_picture_is_counted(touch):
    root = touch("a/1.png", "a/x.txt", "b/y.TXT", "a/README", "b/2.png", "c.png")
    assert list_classes(str(root)).notes == (
        "1 picture left out that is in no class's folder",
        "3 files left out that are no JPEG, PNG, WebP or BMP (2 .txt, 1 without ending)",
    )


def test_links_are_followed_within_the_folder_alone(touch, tmp_path):
    root = touch("a/1.png", "b/2.png")
    (tmp_path / "secret.png").write_bytes(b"x")
    (root / "a" / "in.png").symlink_to(root / "b" / "2.png")
    (root / "a" / "out.png").symlink_to(tmp_path / "secret.png")
    (root / "a" / "up.png").symlink_to("../../secret.png")
    (root / "b" / "circle").symlink_to(root)
    (root / "b" / "nowhere.png").symlink_to("nothing")
    listing = list_classes(str(root))
    assert found(listing.train["a"]) == ["a/1.png", "a/in.png"]
    assert found(listing.train["b"]) == ["b/2.png"]
    (note,) = listing.notes
    assert note.startswith("4 links left out, 'a/")
    assert "within the folder alone" in note


def test_the_folder_itself_may_be_a_link(touch, tmp_path):
    (tmp_path / "link").symlink_to(touch("a/1.png", "b/2.png"))
    assert list(list_classes(str(tmp_path / "link")).train) == ["a", "b"]


def test_a_pipe_is_not_opened(touch):
    root = touch("a/1.png", "b/2.png")
    os.mkfifo(root / "a" / "pipe.png")
    listing = list_classes(str(root))
    assert found(listing.train["a"]) == ["a/1.png"]
    assert listing.notes == ("1 file left out that is no JPEG, PNG, WebP or BMP (1 not regular)",)


@pytest.mark.parametrize(
    ("files", "folders", "said"),
    [
        ((), (), "holds no pictures: give a folder with a folder"),
        (("1.png", "2.png"), (), "holds pictures and no folders: put the pictures of each class"),
        (("a/1.png",), (), "one class only, 'a'"),
        (("train/a/1.png",), (), "train' holds one class only, 'a'"),
        (("a/1.png", "b/2.png"), ("c",), "data/c' holds no pictures: add some, or remove"),
        (("a/x.txt", "b/y.txt"), (), r"holds no pictures: 2 files left out .*\(2 .txt\)"),
        (("train/a/1.png", "train/b/1.png"), ("test",), "test' holds no pictures"),
        (("train/a/1.png", "train/b/1.png", "test/1.png"), (), "test' holds pictures and no fold"),
        (("train/a/1.png", "train/b/1.png", "test/c/1.png"), (), "the class 'c', which 'train'"),
        (("a\udcff/1.png", "b/2.png"), (), "not valid UTF-8"),
    ],
)
def test_refused_in_one_line(touch, tmp_path, files, folders, said):
    root = touch(*files)
    for folder in ("", *folders):
        (root / folder).mkdir(parents=True, exist_ok=True)
    with pytest.raises(DataError, match=said) as caught:
        list_classes(str(root))
    assert "\n" not in str(caught.value)


def test_links_alone_are_no_pictures(touch, tmp_path):
    root = touch("a/x.txt", "b/y.txt")
    (tmp_path / "far.png").write_bytes(b"x")
    for name in ("a", "b"):
        (root / name / "link.png").symlink_to(tmp_path / "far.png")
    with pytest.raises(DataError, match="holds no pictures: 2 links left out"):
        list_classes(str(root))


def test_all_pictures_below_a_folder(touch):
    root = touch("b/2.png", "1.jpg", "b/x.txt", ".hidden.png")
    files, notes = list_pictures(str(root))
    assert files == [f"{root}/1.jpg", f"{root}/b/2.png"]
    assert len(notes) == 1
    (root / "empty").mkdir()
    with pytest.raises(DataError, match="holds no pictures"):
        list_pictures(str(root / "empty"))
