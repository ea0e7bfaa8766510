"""Networks for the tests of layers: built from a recipe's tables, parameters drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from surefoot.nn.layer import Context
from surefoot.nn.network import Network, build
from surefoot.recipe import Net, numbers


@dataclass
class Made:
    """A network with its numbers and its first parameters and state."""

    network: Network
    numbers: Any
    params: Any
    state: Any

    def apply(self, x, params=None, train=True, key=None, probes=None, numbers=None):
        """Return outputs, new state and vital signs."""
        context = Context(train, key, self.numbers if numbers is None else numbers, probes)
        params = self.params if params is None else params
        return self.network.apply(params, self.state, x, context)


@pytest.fixture(scope="session")
def make() -> Callable[..., Made]:
    """Return a function from a recipe's layers and an input shape to a network."""

    def make(layers, shape, outputs=3, seed=0, dtype=np.float32, **net):
        parsed = Net.model_validate({"layers": layers, **net})
        network = build(parsed, shape, outputs)
        lane = numbers(parsed)
        return Made(network, lane, *network.init(seed, lane, dtype))

    return make
