"""The peers, each in the fastest of its ordinary forms."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sklearn
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from torch import nn

from benchmarks.work import Work

Timer = Callable[[], float]
_ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}
_LAYOUTS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}


class Torch:
    """PyTorch's eager loop: data resident, a permutation an epoch, gradients set to None."""

    def __init__(self, work: Work, adam: Mapping[str, bool], layout: str, threads: int) -> None:
        self._threads = threads
        x, y = work.arrays
        if work.convolutional:
            x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
        self._x, self._y = torch.from_numpy(x), torch.from_numpy(y).long()
        self._net = _net(work)
        if work.convolutional:
            self._x = self._x.to(memory_format=_LAYOUTS[layout])
            self._net = self._net.to(memory_format=_LAYOUTS[layout])
        self._adam = torch.optim.Adam(self._net.parameters(), lr=1e-3, **adam)
        self._batch = work.batch

    def steps(self, count: int) -> float:
        """Train so many steps; return seconds a step."""
        torch.set_num_threads(self._threads)
        x, y, net, adam, batch = self._x, self._y, self._net, self._adam, self._batch
        loss_of, rows, done = nn.functional.cross_entropy, len(x), 0
        started = time.perf_counter()
        while done < count:
            order = torch.randperm(rows)
            for first in range(0, min(rows, (count - done) * batch), batch):
                index = order[first : first + batch]
                adam.zero_grad(set_to_none=True)
                loss = loss_of(net(x[index]), y[index])
                loss.backward()
                adam.step()
                done += 1
        return (time.perf_counter() - started) / count


def _net(work: Work) -> nn.Module:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    before = work.input_shape[-1]
    for size in work.hidden:
        if work.convolutional:
            layers += [nn.Conv2d(before, size, 3, padding=1), nn.BatchNorm2d(size)]
        else:
            layers.append(nn.Linear(before, size))
        layers.append(_ACTIVATIONS[work.activation]())
        if work.convolutional:
            layers.append(nn.MaxPool2d(2))
        before = size
    if work.convolutional:
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(before, work.outputs))


def pytorch(work: Work, seconds: float) -> tuple[str, Timer]:
    """Return PyTorch with `torch.optim.Adam` as it comes."""
    return _best(work, {}, seconds)


def pytorch_fused(work: Work, seconds: float) -> tuple[str, Timer]:
    """Return PyTorch with Adam as one kernel, ``fused=True``."""
    return _best(work, {"fused": True}, seconds)


def _best(work: Work, adam: Mapping[str, bool], seconds: float) -> tuple[str, Timer]:
    """Try one thread and all, and both memory layouts of pictures; return the fastest form."""
    cores = os.cpu_count() or 1
    forms = {
        ", ".join(filter(None, (layout, f"threads: {threads}"))): Torch(work, adam, layout, threads)
        for layout in (_LAYOUTS if work.convolutional else ("",))
        for threads in sorted({1, cores})
    }
    estimates = {name: min(form.steps(3) for _ in range(2)) for name, form in forms.items()}
    times: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(3):  # interleaved, so that a busy moment hits all of them
        for name, form in forms.items():
            times[name].append(form.steps(max(3, round(seconds / 6 / estimates[name]))))
    best = min(times, key=lambda name: np.median(times[name]))
    count = max(3, round(seconds / np.median(times[best])))
    return best, lambda: forms[best].steps(count)


def scikit_learn(work: Work, seconds: float) -> tuple[str, Timer]:
    """Return `MLPClassifier.fit` without early stopping and weight decay, whole epochs."""
    x, y = work.arrays

    def time_epochs(epochs: int) -> float:
        model = MLPClassifier(
            work.hidden,
            activation=work.activation,
            solver="adam",
            alpha=0.0,
            batch_size=work.batch,
            learning_rate_init=1e-3,
            max_iter=epochs,
            tol=0.0,
            n_iter_no_change=epochs + 1,
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            started = time.perf_counter()
            model.fit(x, y)
            return (time.perf_counter() - started) / epochs / work.steps

    time_epochs(1)
    epochs = max(1, round(seconds / (time_epochs(1) * work.steps)))
    return "MLPClassifier", lambda: time_epochs(epochs)


PEERS: Mapping[str, Callable[[Work, float], tuple[str, Timer]]] = {
    "PyTorch": pytorch,
    "PyTorch, fused Adam": pytorch_fused,
    "scikit-learn": scikit_learn,
}


def versions() -> dict[str, Any]:
    """Return the peers' versions."""
    return {"torch": torch.__version__, "scikit-learn": sklearn.__version__}
