"""A program of the corpus in PyTorch's eager loop, for its time alone.

Same layers, rule, loss, batches and rows; first weights are PyTorch's own, since time does not
depend on them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from surefoot.job import dataset_of
from surefoot.recipe import Recipe

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "identity": nn.Identity,
}
_RULES: dict[str, Any] = {
    "sgd": torch.optim.SGD,
    "momentum": torch.optim.SGD,
    "nesterov": torch.optim.SGD,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "radam": torch.optim.RAdam,
}
_WARM = 30


class Inexpressible(Exception):
    """PyTorch has no layer, rule or loss that does the same."""


class TorchProgram:
    """A recipe's training in PyTorch, on one thread or on all, whichever is faster."""

    def __init__(self, recipe: Recipe) -> None:
        dataset = dataset_of(recipe)
        x = np.asarray(dataset.x_train, np.float32)
        if x.ndim == 4:
            x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
        self._x = torch.from_numpy(x)
        self._y = torch.from_numpy(np.asarray(dataset.y_train))
        self._recipe = recipe
        size = recipe.train.batch_size
        self._batch = len(x) if size == "full" else min(size, len(x))
        self._target = dataset.target
        every = torch.get_num_threads()
        self._threads = min({1, every}, key=lambda count: self._run(count, _WARM))

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self._recipe.train.epochs * -(-len(self._x) // self._batch)

    def train(self, steps: int | None = None) -> float:
        """Train from the start; return the seconds it took."""
        return self._run(self._threads, self.steps if steps is None else steps)

    def _run(self, threads: int, steps: int) -> float:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            return self._loop(steps)
        finally:
            torch.set_num_threads(before)

    def _loop(self, steps: int) -> float:
        started = time.perf_counter()
        recipe, x, y = self._recipe, self._x, self._y
        tables = recipe.to_dict()["net"]["layers"]
        net, _ = _built(tables, tuple(x.shape[1:]), self._target.size)
        rule, clip = _rule(recipe, net), recipe.train.clip_norm
        done = 0
        while done < steps:
            order = torch.randperm(len(x))
            for first in range(0, len(x), self._batch):
                index = order[first : first + self._batch]
                rule.zero_grad(set_to_none=True)
                loss = _loss(recipe.train.loss, net(x[index]), y[index], self._target.size)
                loss.backward()
                if clip is not None:
                    nn.utils.clip_grad_norm_(net.parameters(), clip)
                rule.step()
                done += 1
                if done == steps:
                    break
        return time.perf_counter() - started


class _Residual(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)


def _built(
    tables: Sequence[dict[str, Any]], shape: tuple[int, ...], outputs: int
) -> tuple[nn.Module, tuple[int, ...]]:
    """Return the layers, and the shape that they end with."""
    made: list[nn.Module] = []
    for table in tables:
        layer, shape = _layer(table, shape, outputs)
        made.append(layer)
    return nn.Sequential(*made), shape


def _layer(
    table: dict[str, Any], shape: tuple[int, ...], outputs: int
) -> tuple[nn.Module, tuple[int, ...]]:
    match table:
        case {"dense": units}:
            size = units if isinstance(units, int) else outputs
            flat = int(np.prod(shape))
            dense = nn.Linear(flat, size)
            return (dense if len(shape) == 1 else nn.Sequential(nn.Flatten(), dense)), (size,)
        case {"conv": filters} if table.get("stride", 1) == 1:
            size = table.get("size", 3)
            return nn.Conv2d(shape[0], filters, size, padding="same"), (filters, *shape[1:])
        case {"activation": "softmax"}:
            return nn.Softmax(-1), shape
        case {"activation": str(name)} if name in _ACTIVATIONS:
            return _ACTIVATIONS[name](), shape
        case {"batch_norm": _}:
            kind = nn.BatchNorm1d if len(shape) == 1 else nn.BatchNorm2d
            return kind(shape[0]), shape
        case {"dropout": share}:
            return nn.Dropout(share), shape
        case {"max_pool": int(size)}:
            return nn.MaxPool2d(size), (shape[0], shape[1] // size, shape[2] // size)
        case {"flatten": _}:
            return nn.Flatten(), (int(np.prod(shape)),)
        case {"repeat": count, "layers": inner}:
            return _built([layer for _ in range(count) for layer in inner], shape, outputs)
        case {"residual": inner}:
            made, shape = _built(inner, shape, outputs)
            return _Residual(made), shape
    raise Inexpressible(str(table))


def _rule(recipe: Recipe, net: nn.Module) -> torch.optim.Optimizer:
    optimizer = recipe.optimizer
    if optimizer.name not in _RULES:
        raise Inexpressible(optimizer.name)
    options: dict[str, Any] = {"lr": optimizer.learning_rate}
    if optimizer.name in ("momentum", "nesterov"):
        options |= {"momentum": optimizer.momentum, "nesterov": optimizer.name == "nesterov"}
    if optimizer.weight_decay:
        options["weight_decay"] = optimizer.weight_decay
    return _RULES[optimizer.name](net.parameters(), **options)


def _loss(name: str, output: Tensor, target: Tensor, size: int) -> Tensor:
    """Return a loss of the same cost; outputs are made probabilities where they are none."""
    if target.dtype.is_floating_point:
        target = target.float().reshape(len(target), -1)
    if name == "cross_entropy" and output.shape[-1] > 1:
        return nn.functional.nll_loss(torch.log(output.clamp(1e-7)), target.long())
    if not target.dtype.is_floating_point:
        alone = output.shape[-1] == 1
        target = target[:, None].float() if alone else _one_hot(target, size)
    match name:
        case "mean_squared_error":
            return nn.functional.mse_loss(output, target)
        case "mean_absolute_error":
            return nn.functional.l1_loss(output, target)
        case _:
            # A diverged net's outputs are not finite; the time is the same.
            kept = torch.nan_to_num(output, 0.5).clamp(1e-7, 1 - 1e-7)
            return nn.functional.binary_cross_entropy(kept, target)


def _one_hot(target: Tensor, size: int) -> Tensor:
    return nn.functional.one_hot(target.long(), size).float()
