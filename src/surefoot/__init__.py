"""Surefoot trains neural networks and records what happens in every layer.

>>> import surefoot as sf
>>> sf.nets.mlp(128, 64).text
'mlp:128,64'
"""

from __future__ import annotations

import importlib
from typing import Any

# Each public name with the module that it lives in, and its name there. Modules load when a name
# of theirs is first used, so that `import surefoot` is quick and JAX starts only when something
# is computed.
_PUBLIC = {
    "DataError": ("surefoot.errors", "DataError"),
    "InputError": ("surefoot.errors", "InputError"),
    "Recipe": ("surefoot.recipe", "Recipe"),
    "RecipeError": ("surefoot.errors", "RecipeError"),
    "Run": ("surefoot.run", "Run"),
    "RunError": ("surefoot.errors", "RunError"),
    "SurefootClassifier": ("surefoot.estimators", "SurefootClassifier"),
    "SurefootError": ("surefoot.errors", "SurefootError"),
    "SurefootRegressor": ("surefoot.estimators", "SurefootRegressor"),
    "TrainingError": ("surefoot.errors", "TrainingError"),
    "diagnose": ("surefoot.doctor.command", "diagnose"),
    "datasets": ("surefoot.data.builtin", "describe"),
    "judge_plateau": ("surefoot.doctor.plateau", "judge"),
    "load_recipe": ("surefoot.recipe", "load"),
    "measure_landscape": ("surefoot.landscape.record", "measure_landscape"),
    "nets": ("surefoot.nn.nets", ""),
    "train": ("surefoot.trainer", "train"),
}

__all__ = [*sorted(_PUBLIC), "__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("surefoot")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'surefoot' has no attribute {name!r}")
    module, attribute = _PUBLIC[name]
    loaded = importlib.import_module(module)
    value = getattr(loaded, attribute) if attribute else loaded
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
