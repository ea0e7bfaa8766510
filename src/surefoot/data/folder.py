"""Which pictures a folder holds, and which class each belongs to."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from surefoot.data.arrays import short
from surefoot.errors import DataError

SUFFIXES = frozenset((".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp"))
# Folders above those of the classes, in any case. Where there are rows for validation and for a
# test, the latter are left for `predict`.
_TRAIN = ("train", "training")
_VALIDATION = ("val", "valid", "validation", "test", "testing")
_NAMED = 3  # how many files a message names


@dataclass(frozen=True, order=True)
class File:
    """A picture file: its path below the folder, and what tells whether it changed."""

    path: str
    size: int
    modified: int


@dataclass(frozen=True)
class Listing:
    """What is in a folder: its pictures by class, and what was left out.

    Attributes:
        root: the folder, absolute and free of links.
        train: pictures to learn from, by class, all sorted.
        validation: those to validate on; None where the folder does not divide them.
        notes: what was left out and why, a line each.
    """

    root: str
    train: dict[str, list[File]]
    validation: dict[str, list[File]] | None
    notes: tuple[str, ...]


@dataclass
class _Left:
    """What is left out of a folder, while it is walked."""

    links: list[str] = field(default_factory=list)
    other: Counter[str] = field(default_factory=Counter)

    def notes(self) -> Iterable[str]:
        if self.links:
            yield (
                f"{count(len(self.links), 'link')} left out, {some(self.links)}: links are "
                "followed to files within the folder alone"
            )
        if self.other:
            kinds = ", ".join(f"{n} {kind}" for kind, n in self.other.most_common(5))
            total = sum(self.other.values())
            yield (
                f"{count(total, 'file')} left out that {_are(total)} no JPEG, PNG, WebP or "
                f"BMP ({kinds})"
            )


def list_classes(path: str) -> Listing:
    """List a folder that holds a folder for each class, or `train/` and `test/` with those.

    Pictures are told by their names' endings, and found at any depth below their class's folder.
    Hidden files and folders are passed over.

    Raises:
        DataError: fewer than two classes, a class without pictures, pictures outside of classes,
            or `train/` and `test/` of different classes.
    """
    root = _root(path)
    folders, loose = _children(root)
    by_name = {name.lower(): name for name in folders}
    train = next((by_name[name] for name in _TRAIN if name in by_name), None)
    left, notes = _Left(), []
    if train is None or not _children(os.path.join(root, train))[0]:
        if loose and not folders:
            raise DataError(
                f"{path!r} holds pictures and no folders: put the pictures of each class into a "
                "folder of its own, named as the class"
            )
        if loose:
            notes.append(
                f"{count(loose, 'picture')} left out that {_are(loose)} in no class's folder"
            )
        classes = _classes(path, root, "", folders, left)
        _check_number(path, classes, folders)
        return Listing(root, classes, None, (*notes, *left.notes()))

    parts = [by_name[name] for name in _VALIDATION if name in by_name]
    others = sorted(set(folders) - {train, *parts[:1]})
    if others:
        notes.append(f"{some(others)} beside {train!r} left out")
    learned = _part(path, root, train, left)
    _check_number(os.path.join(path, train), learned, list(learned))
    if not parts:
        return Listing(root, learned, None, (*notes, *left.notes()))
    validated = _part(path, root, parts[0], left)
    unknown = sorted(set(validated) - set(learned))
    if unknown:
        raise DataError(
            f"{os.path.join(path, parts[0])!r} holds the class {short(unknown[0])}, which "
            f"{train!r} lacks: both need the same classes"
        )
    missing = sorted(set(learned) - set(validated))
    if missing:
        notes.append(f"{parts[0]!r} has no pictures of {some(missing)}")
    return Listing(root, learned, validated, (*notes, *left.notes()))


def list_pictures(path: str) -> tuple[list[str], tuple[str, ...]]:
    """Return the paths of all pictures in a folder at any depth, sorted, and what was left out.

    Raises:
        DataError: there are none, or the folder cannot be read.
    """
    root, left = _root(path), _Left()
    files = _walk(root, "", left)
    notes = tuple(left.notes())
    if not files:
        raise DataError(f"{path!r} holds no pictures{': ' if notes else ''}{'; '.join(notes)}")
    return [os.path.join(path, file.path) for file in files], notes


def _root(path: str) -> str:
    try:
        return os.path.realpath(path, strict=True)
    except OSError as error:
        raise DataError(f"{path!r} cannot be read: {error.strerror or error}") from None


def _children(folder: str) -> tuple[list[str], int]:
    """Return the folders in a folder, sorted, and how many pictures lie beside them."""
    try:
        with os.scandir(folder) as entries:
            shown = [entry for entry in entries if not entry.name.startswith((".", "__MACOSX"))]
            folders = [e.name for e in shown if e.is_dir(follow_symlinks=False)]
            return sorted(folders), sum(map(is_picture, (e.name for e in shown if e.is_file())))
    except OSError as error:
        raise DataError(f"{folder!r} cannot be read: {error.strerror or error}") from None


def _part(path: str, root: str, part: str, left: _Left) -> dict[str, list[File]]:
    folders, loose = _children(os.path.join(root, part))
    if loose and not folders:
        raise DataError(
            f"{os.path.join(path, part)!r} holds pictures and no folders: put the pictures of each "
            "class into a folder of its own, named as the class"
        )
    return _classes(path, root, part, folders, left)


def _classes(
    path: str, root: str, part: str, folders: list[str], left: _Left
) -> dict[str, list[File]]:
    classes: dict[str, list[File]] = {}
    empty = []
    for name in folders:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise DataError(
                f"{path!r}: the folder {name!a} has a name that is not valid UTF-8: rename it"
            ) from None
        files = _walk(root, os.path.join(part, name), left)
        if not files:
            empty.append(os.path.join(path, part, name))
        # A letter with an accent is written in two ways, and is the same class in both.
        classes.setdefault(unicodedata.normalize("NFC", name), []).extend(files)
    if len(empty) == len(folders):
        notes = "; ".join(left.notes())
        raise DataError(
            f"{os.path.join(path, part)!r} holds no pictures{': ' if notes else ''}{notes}: give a "
            "folder with a folder of JPEG, PNG, WebP or BMP files for each class"
        )
    if empty:
        raise DataError(
            f"{some(empty)} {'holds' if len(empty) == 1 else 'hold'} no pictures: add some, or "
            "remove the folder"
        )
    return {name: sorted(classes[name]) for name in sorted(classes)}


def _check_number(path: str, classes: dict[str, list[File]], folders: list[str]) -> None:
    if len(classes) < 2:
        raise DataError(
            f"{path!r} holds one class only, {short(folders[0])}: there is nothing to tell apart; "
            "give a folder for each of two or more classes"
        )


def _walk(root: str, start: str, left: _Left) -> list[File]:
    """Return the pictures below a folder of the root, sorted; folders that are links are not."""
    files, waiting = [], [start]
    while waiting:
        below = waiting.pop()
        try:
            with os.scandir(os.path.join(root, below)) as entries:
                for entry in entries:
                    if entry.name.startswith((".", "__MACOSX")):
                        continue
                    place = os.path.join(below, entry.name)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(place)
                    elif (file := _file(root, place, entry, left)) is not None:
                        files.append(file)
        except OSError as error:
            where = os.path.join(root, below)
            raise DataError(f"{where!r} cannot be read: {error.strerror or error}") from None
    return sorted(files)


def _file(root: str, place: str, entry: os.DirEntry[str], left: _Left) -> File | None:
    if entry.is_symlink() and not _leads_inside(root, entry.path):
        left.links.append(place)
        return None
    about = entry.stat()
    if not stat.S_ISREG(about.st_mode):  # opening a pipe would wait for ever
        left.other["not regular"] += 1
        return None
    if not is_picture(entry.name):
        left.other[os.path.splitext(entry.name)[1].lower() or "without ending"] += 1
        return None
    return File(place, about.st_size, about.st_mtime_ns)


def _leads_inside(root: str, link: str) -> bool:
    try:
        target = os.path.realpath(link, strict=True)
    except OSError:  # it leads nowhere, or in a circle
        return False
    return os.path.isfile(target) and os.path.commonpath((root, target)) == root


def is_picture(name: str) -> bool:
    """Say whether a file's name ends as a picture's."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def some(names: Sequence[str]) -> str:
    """Name the first of several files, and how many more there are."""
    shown = ", ".join(repr(name) for name in names[:_NAMED])
    more = len(names) - _NAMED
    return shown if more <= 0 else f"{shown} and {more} more"


def count(number: int, what: str) -> str:
    """Return "1 file", "2 files"."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
