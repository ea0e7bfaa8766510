"""The order of the parts: a module imports from what stands above it, and stays short."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "surefoot"
# From the ground up; each imports only from those before it. CONTRIBUTING.md shows the same.
ORDER = (
    "errors",
    "garbage",
    "files",
    "checksums",
    "lock",
    "environment",
    "backend",
    "processes",
    "recipe",
    "data",
    "nn",
    "optim",
    "evolve",
    "vitals",
    "figures",
    "notebook",
    "control",
    "engine",
    "run",
    "pretrain",
    "defaults",
    "job",
    "landscape",
    "gradients",
    "doctor",
    "study",
    "repair",
    "report",
    "exports",
    "live",
    "interrupts",
    "saving",
    "keeper",
    "resuming",
    "trainer",
    "resumer",
    "repairer",
    "ensemble",
    "estimators",
    "handbook",
    "cli",
)
# The package's face names every public module, and loads it when it is first used.
FILES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")
MOST_LINES = 400


def _module(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def _part(module: str) -> str:
    return [*module.split("."), ""][1]


def _imports(tree: ast.AST) -> Iterator[str]:
    """Yield the modules of ours that are imported, at any depth, for more than their types."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out in full"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else str(node.module)
        else:
            yield from _imports(node)


MODULES = {_module(path) for path in FILES}


def _imports_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {name for name in _imports(tree) if name.split(".")[0] == "surefoot"}


@pytest.mark.parametrize("path", FILES, ids=_module)
def test_a_module_imports_from_what_stands_above_it(path):
    own = _part(_module(path))
    assert own in ORDER, f"{own} has no place in ORDER"
    for name in _imports_of(path):
        part = _part(name)
        assert part in ORDER, f"{_module(path)} imports {name}"
        assert ORDER.index(part) <= ORDER.index(own), f"{_module(path)} imports {name} from above"


def test_no_modules_import_each_other_in_a_circle():
    graph = {_module(path): _imports_of(path) - {_module(path)} for path in FILES}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


@pytest.mark.parametrize(
    "path",
    [
        path
        for part in ("src", "tests", "benchmarks", "handbook")
        for path in sorted((ROOT / part).rglob("*.py"))
    ],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_file_stays_short_enough_to_hold_one_idea(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_the_order_is_the_one_that_contributors_are_shown():
    shown = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    places = [shown.index(f"\n| `{part}") for part in ORDER]
    assert places == sorted(places)
