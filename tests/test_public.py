"""The package's face: every public name is there, documented, and loads when it is used."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import surefoot

PUBLIC = [
    "DataError",
    "InputError",
    "LogUniform",
    "Recipe",
    "RecipeError",
    "Run",
    "RunError",
    "Study",
    "SurefootClassifier",
    "SurefootError",
    "SurefootRegressor",
    "TrainingError",
    "Uniform",
    "__version__",
    "compare_ensembles",
    "averages",
    "backprop",
    "compare_surfaces",
    "datasets",
    "diagnose",
    "ensemble",
    "find_rate",
    "gradcheck",
    "judge_plateau",
    "load_recipe",
    "logspace",
    "measure_landscape",
    "measure_surface",
    "nets",
    "race",
    "ready_study",
    "repair",
    "resume",
    "saliency",
    "study",
    "train",
    "train_input",
]


def test_the_list_of_public_names_is_complete():
    assert sorted(surefoot.__all__) == sorted(PUBLIC)
    assert len(set(surefoot.__all__)) == len(surefoot.__all__)
    assert set(PUBLIC) <= set(dir(surefoot))


def test_every_error_is_public():
    from surefoot import errors

    found = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.SurefootError)
    ]
    assert set(found) <= set(PUBLIC)


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "__version__"])
def test_a_public_name_is_documented(name):
    value = getattr(surefoot, name)
    assert inspect.getdoc(value), f"{name} has no docstring"
    for member, function in _own_members(value):
        assert inspect.getdoc(function), f"{name}.{member} has no docstring"


def _own_members(value):
    if inspect.ismodule(value):
        return [
            (name, member)
            for name, member in inspect.getmembers(value, inspect.isfunction)
            if member.__module__ == value.__name__ and not name.startswith("_")
        ]
    if not inspect.isclass(value):
        return []
    return [
        (name, member)
        for name, member in vars(value).items()
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property))
    ]


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = surefoot.trian


def test_the_version_is_the_installed_one():
    from importlib.metadata import version

    assert surefoot.__version__ == version("surefoot")


def _loaded_after(code: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has after some code."""
    tail = "; import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code + tail], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


HEAVY = {"jax", "jaxlib", "optax", "sklearn", "scipy", "pydantic", "duckdb", "rich", "typer"}


def test_importing_the_package_loads_nothing_heavy():
    assert not _loaded_after("import surefoot") & {*HEAVY, "numpy", "tomlkit", "safetensors"}


def test_a_recipe_is_read_and_checked_without_jax():
    assert not _loaded_after("import surefoot; surefoot.Recipe") & {"jax", "sklearn", "duckdb"}


def test_nothing_heavy_is_loaded_to_show_help():
    code = "import surefoot.cli.app"
    assert not _loaded_after(code) & {"jax", "sklearn", "numpy", "pydantic", "duckdb", "optax"}
