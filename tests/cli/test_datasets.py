"""`surefoot datasets`, and the command without a command."""

from __future__ import annotations

import json

import pytest

NAMES = [
    "digits",
    "iris",
    "wine",
    "breast-cancer",
    "diabetes",
    "moons",
    "circles",
    "blobs",
    "spirals",
    "xor",
]


def test_json_lists_every_set(surefoot):
    ended = surefoot("datasets", "--json")
    assert (ended.code, ended.err) == (0, "")
    entries = json.loads(ended.out)["datasets"]
    assert [entry["name"] for entry in entries] == NAMES
    digits = entries[0]
    assert digits["task"] == "classification"
    assert (digits["rows"], digits["shape"], digits["classes"]) == (1797, [8, 8, 1], [*range(10)])
    assert entries[4]["task"] == "regression"


def test_a_person_gets_a_table(surefoot):
    ended = surefoot("datasets")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0].split()[:5] == ["name", "task", "rows", "inputs", "classes"]
    digits = next(line for line in lines if line.startswith("digits"))
    assert digits.split()[1:5] == ["classification", "1,797", "8×8×1", "10"]
    for name in NAMES:
        assert any(line.startswith(name) for line in lines)


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_lists_the_commands(surefoot, arguments):
    ended = surefoot(*arguments)
    assert ended.code == 0
    for command in ("train", "predict", "datasets"):
        assert command in ended.out


@pytest.mark.parametrize("arguments", [("nonsense",), ("--nonsense",), ("datasets", "digits")])
def test_what_is_no_command_is_one_line(surefoot, arguments):
    ended = surefoot(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("surefoot: ")
    assert ended.err.count("\n") == 1
