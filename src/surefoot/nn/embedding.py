"""Categories as learned vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
import numpy as np

from surefoot.nn.layer import Array, Context, Initial, Layer, Params, Shape, Start, describe_shape


@dataclass(frozen=True)
class Embedding(Layer):
    """Columns that hold category numbers become vectors; the others pass in front of them.

    x [batch, columns] with k embedded columns of c₁ … cₖ categories gives
    [batch, columns − k + k · size]. It is a dense layer over one-hot columns that is never
    written out: row j of the table [Σc, size] belongs to one category of one column, and its
    gradient is the sum of the signals of the examples that have this category. A number outside
    of a column's categories counts as the nearest of them.

    Source: Guo and Berkhahn 2016.
    """

    kind: ClassVar[str] = "embedding"
    weight: ClassVar[str] = "kernel"

    number: str
    size: int
    columns: tuple[tuple[int, int], ...]
    initial: Initial

    def output_shape(self, shape: Shape) -> Shape:
        """Return the number of columns that pass and of those that are made."""
        if len(shape) != 1:
            raise self.refuse(f"needs a row of numbers and gets {describe_shape(shape)}")
        embedded = [column for column, _ in self.columns]
        for column in embedded:
            if column >= shape[0]:
                raise self.refuse(
                    f"column {column} is not there: the row has columns 0 to {shape[0] - 1}"
                )
            if embedded.count(column) > 1:
                raise self.refuse(f"column {column} is named twice; name each column once")
        return (shape[0] + len(self.columns) * (self.size - 1),)

    def init(self, shape: Shape, start: Start) -> tuple[Params, Params]:
        """Draw one table for all columns."""
        return {"kernel": start.draw(self.initial, "initializer", self._table)}, {}

    @property
    def _table(self) -> tuple[int, int]:
        return sum(categories for _, categories in self.columns), self.size

    def forward(
        self, params: Params, state: Params, x: Array, context: Context
    ) -> tuple[Array, Params]:
        """Return the passing columns and the vectors."""
        embedded = [column for column, _ in self.columns]
        passing = [column for column in range(x.shape[1]) if column not in embedded]
        kernel = jnp.asarray(params["kernel"])
        parts, first = [x[:, np.asarray(passing)]] if passing else [], 0
        for column, categories in self.columns:
            code = jnp.clip(x[:, column], 0, categories - 1).astype(jnp.int32)
            parts.append(kernel[first + code])
            first += categories
        return jnp.concatenate(parts, axis=1), state

    def weight_count(self, shape: Shape) -> int:
        """Return the table's size."""
        return self._table[0] * self._table[1]
