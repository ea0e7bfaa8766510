"""What an estimator remembers of its training: a loss for each epoch."""

from __future__ import annotations

import numpy as np

from surefoot.engine.events import Block


class Curves:
    """A listener that keeps the mean loss of each epoch of a single run.

    Args:
        steps: of an epoch.
        epoch: how many epochs came before.
        verbose: whether to print a line after each epoch.

    Attributes:
        train: the mean loss over the steps of each epoch.
        validation: the loss on the validation rows after each epoch, where there are some.
    """

    def __init__(self, steps: int, epoch: int = 0, verbose: bool = False) -> None:
        self._steps = steps
        self._epoch = epoch
        self._verbose = verbose
        self._losses: list[float] = []
        self.train: list[float] = []
        self.validation: list[float] = []

    def block(self, block: Block) -> None:
        """Take note of the steps of one dispatch."""
        self._losses += block.loss[:, 0].tolist()
        if len(self._losses) < self._steps:
            return
        self.train.append(float(np.mean(self._losses)))
        self._losses.clear()
        line = f"Epoch {self._epoch + len(self.train)}, loss = {self.train[-1]:.8f}"
        if block.validation is not None:
            self.validation.append(float(block.validation.loss[0]))
            line += f", validation loss = {self.validation[-1]:.8f}"
        if self._verbose:
            print(line)

    def stop(self) -> bool:
        """Never."""
        return False
