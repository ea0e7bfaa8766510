"""A recipe being written: in parts that a fault can edit."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.faults.datasets import DatasetSpec
from surefoot.recipe import Recipe

Layers = list[dict[str, Any]]


@dataclass
class Draft:
    """A recipe in parts.

    Attributes:
        spec: its data set.
        tables: the recipe's tables, `net` without its layers.
        body: the layers before the output layer.
        output: the output layer, and its activation if it has one.
        edits: what is done to the data before they are learned from: `edits.apply` knows them.
    """

    spec: DatasetSpec
    tables: dict[str, Any]
    body: Layers
    output: Layers
    edits: tuple[str, ...] = ()

    def copy(self) -> Draft:
        """Return a draft that can be edited without this one."""
        return Draft(
            self.spec,
            deepcopy(self.tables),
            deepcopy(self.body),
            deepcopy(self.output),
            self.edits,
        )

    @property
    def optimizer(self) -> dict[str, Any]:
        """The update rule's table."""
        return self.tables["optimizer"]

    @property
    def train(self) -> dict[str, Any]:
        """The table of loss, batch size, epochs."""
        return self.tables["train"]

    @property
    def data(self) -> dict[str, Any]:
        """The table of what to learn from."""
        return self.tables["data"]

    @property
    def activation(self) -> str:
        """The activation of the hidden layers."""
        return next(layer["activation"] for layer in self.body if "activation" in layer)

    @property
    def batch_norm(self) -> bool:
        """Whether hidden layers are normalized."""
        return any("batch_norm" in layer for layer in self.body)

    @property
    def classes(self) -> bool:
        """Whether labels are learned."""
        return self.spec.task == "classification"

    def weighted(self) -> Layers:
        """Return the hidden layers that have weights."""
        return [layer for layer in self.body if "dense" in layer or "conv" in layer]

    def replace_activation(self, name: str) -> None:
        """Change the activation of every hidden layer."""
        for layer in self.body:
            if "activation" in layer:
                layer["activation"] = name

    def insert_after_activations(self, layer: dict[str, Any]) -> None:
        """Put a layer behind every hidden activation."""
        body: Layers = []
        for old in self.body:
            body.append(old)
            if "activation" in old:
                body.append(dict(layer))
        self.body = body

    def edit_data(self, edit: str) -> None:
        """Note an edit of the data."""
        self.edits = (*self.edits, edit)

    @property
    def file(self) -> str | None:
        """The name of the file with its arrays; None for a built-in set as it comes."""
        if self.spec.make is None and not self.edits:
            return None
        return "--".join([self.spec.name, *self.edits]) + ".npz"

    def recipe(self, folder: Path) -> Recipe:
        """Return the whole recipe; `folder` is where the arrays lie."""
        tables = deepcopy(self.tables)
        tables["net"] = {**tables.get("net", {}), "layers": [*self.body, *self.output]}
        if self.file is None:
            tables["data"] |= {"source": self.spec.name, "validation": self.spec.validation}
        else:
            tables["data"]["source"] = str(folder / self.file)
        return Recipe.parse(tables)
