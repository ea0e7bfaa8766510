"""What a page's study is: what it measures, and what is claimed of it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from handbook import studies
from surefoot.report.charts import Chart

Numbers = Mapping[str, Any]
Claim = Callable[[Numbers], bool]


@dataclass(frozen=True)
class Found:
    """What a study found.

    Attributes:
        numbers: by the names that the page's text has for them; numbers, texts, or lists of rows.
        charts: by the end of the picture's name; the page's only picture has an empty one.
    """

    numbers: Numbers
    charts: Mapping[str, Chart] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """A page's study.

    Attributes:
        name: the page's.
        measure: runs it, in full or in a small form that takes seconds.
        claims: by name, what the page says in bold: whether some numbers bear it out.
    """

    name: str
    measure: Callable[[bool], Found]
    claims: Mapping[str, Claim]

    def run(self, full: bool) -> Found:
        """Return what it finds, with numbers rounded to the four digits that are kept."""
        found = self.measure(full)
        numbers = {name: rounded(value) for name, value in found.numbers.items()}
        return Found(numbers, found.charts)


def rounded(value: Any) -> Any:
    """Return numbers as plain data of four digits: further ones differ between machines.

    >>> rounded({"loss": np.float32(0.123456), "rows": [(1, "a")]})
    {'loss': 0.1235, 'rows': [[1, 'a']]}
    """
    if isinstance(value, Mapping):
        return {key: rounded(own) for key, own in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [rounded(own) for own in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.4g}")
    return value.item() if isinstance(value, np.generic) else value


def _load(name: str) -> Study:
    module = importlib.import_module(f"{studies.__name__}.{name}")
    return Study(name.replace("_", "-"), module.measure, module.CLAIMS)


def all_studies() -> Mapping[str, Study]:
    """Return every study by its page's name."""
    found = [_load(module.name) for module in pkgutil.iter_modules(studies.__path__)]
    return MappingProxyType({study.name: study for study in found})
