"""Surefoot trains neural networks and records what happens in every layer.

>>> import surefoot as sf
>>> sf.nets.mlp(128, 64).text
'mlp:128,64'
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

from surefoot.garbage import loading

# Each public name with the module that it lives in, and its name there. Modules load when a name
# of theirs is first used, so that `import surefoot` is quick and JAX starts only when something
# is computed.
_PUBLIC = {
    "DataError": ("surefoot.errors", "DataError"),
    "InputError": ("surefoot.errors", "InputError"),
    "LogUniform": ("surefoot.study.space", "LogUniform"),
    "Recipe": ("surefoot.recipe", "Recipe"),
    "RecipeError": ("surefoot.errors", "RecipeError"),
    "Run": ("surefoot.run", "Run"),
    "RunError": ("surefoot.errors", "RunError"),
    "Study": ("surefoot.study.results", "Study"),
    "SurefootClassifier": ("surefoot.estimators", "SurefootClassifier"),
    "SurefootError": ("surefoot.errors", "SurefootError"),
    "SurefootRegressor": ("surefoot.estimators", "SurefootRegressor"),
    "TrainingError": ("surefoot.errors", "TrainingError"),
    "Uniform": ("surefoot.study.space", "Uniform"),
    "averages": ("surefoot.landscape.averages", "averages"),
    "backprop": ("surefoot.gradients.backprop", "backprop"),
    "compare_surfaces": ("surefoot.landscape.comparisons", "compare_surfaces"),
    "diagnose": ("surefoot.doctor.command", "diagnose"),
    "datasets": ("surefoot.data.builtin", "describe"),
    "compare_ensembles": ("surefoot.ensemble.compare", "compare_ensembles"),
    "ensemble": ("surefoot.ensemble.command", "ensemble"),
    "find_rate": ("surefoot.study.rate_finder", "find_rate"),
    "gradcheck": ("surefoot.gradients.check", "gradcheck"),
    "judge_plateau": ("surefoot.doctor.plateau", "judge"),
    "load_recipe": ("surefoot.recipe", "load"),
    "logspace": ("surefoot.study.space", "logspace"),
    "measure_landscape": ("surefoot.landscape.record", "measure_landscape"),
    "measure_surface": ("surefoot.landscape.sections", "measure_surface"),
    "nets": ("surefoot.nn.nets", ""),
    "race": ("surefoot.landscape.races", "race"),
    "ready_study": ("surefoot.study.ready.command", "ready_study"),
    "repair": ("surefoot.repairer", "repair"),
    "resume": ("surefoot.resumer", "resume"),
    "saliency": ("surefoot.gradients.saliency", "saliency"),
    "study": ("surefoot.study.command", "study"),
    "train": ("surefoot.trainer", "train"),
    "train_input": ("surefoot.gradients.train_input", "train_input"),
}

__all__ = [*sorted(_PUBLIC), "__version__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("surefoot")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'surefoot' has no attribute {name!r}")
    module, attribute = _PUBLIC[name]
    with loading():
        loaded = importlib.import_module(module)
    value = getattr(loaded, attribute) if attribute else loaded
    globals()[name] = value
    return value


class _Face(ModuleType):
    """Keeps a public name from being hidden by a part of the package that is called the same.

    Python binds `surefoot.study` to the folder of that name when anything in it is imported.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and _PUBLIC.get(name, ("", ""))[1]):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
