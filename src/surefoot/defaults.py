"""What is chosen where a person chose nothing: from the data, and written into the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

from surefoot.data.dataset import Dataset
from surefoot.data.encoding import Encoding
from surefoot.data.target import Target
from surefoot.nn.nets import Ready, convnet, mlp

Tables = dict[str, Any]

# Enough updates for a small net to settle at Adam's usual rate.
_UPDATES = 3000
_FEWEST_EPOCHS, _MOST_EPOCHS = 20, 500
# Below this many pixels a side there is nothing to pool; a dense net sees it all at once.
_SMALL_PICTURE = 16


def default_net(shape: tuple[int, ...]) -> Ready:
    """Return a net for examples of this shape: dense for rows, convolutional for pictures.

    >>> default_net((64,)).text, default_net((64, 64, 3)).text
    ('mlp:128,64', 'convnet:16,32,64')
    """
    if len(shape) == 3 and min(shape[:2]) >= _SMALL_PICTURE:
        return convnet()
    return mlp(128, 64)


def with_embedding(net: Ready, encoding: Encoding | None) -> Ready:
    """Return a net that begins with an embedding of the categories that are coded as numbers."""
    if encoding is None or not encoding.code_columns:
        return net
    codes = encoding.code_columns
    layer = {
        "embedding": max(code.size for code in codes),
        "columns": [[code.index, code.categories] for code in codes],
    }
    return Ready(net.text, [layer, *net.hidden])


def fill_output(tables: Tables, target: Target, net: Ready | None) -> Tables:
    """Choose the loss that fits the target, and the output layer of a ready net that fits both.

    Args:
        tables: a recipe's, as a person gave them.
        target: what is to be predicted.
        net: a ready net; None where the tables have layers.
    """
    output, loss = {
        "classes": ("softmax", "cross_entropy"),
        "labels": ("sigmoid", "binary_cross_entropy"),
        "numbers": (None, "mean_squared_error"),
    }[target.kind]
    if target.kind == "classes" and target.size == 2 and net is not None:
        loss = "binary_cross_entropy"
    filled = {
        key: dict(value) if isinstance(value, Mapping) else value for key, value in tables.items()
    }
    chosen = filled.setdefault("train", {}).setdefault("loss", loss)
    if net is not None:
        if target.kind == "classes" and target.size == 2 and chosen == "binary_cross_entropy":
            output = "sigmoid1"
        filled.setdefault("net", {})["layers"] = net.layers(output)
    return filled


def fill_training(tables: Tables, dataset: Dataset) -> Tables:
    """Choose batch size, epochs and the scale of targets, where nothing was chosen.

    Epochs are as many as make about 3,000 updates, between 20 and 500.
    """
    train, data = dict(tables.get("train", {})), dict(tables.get("data", {}))
    rows = len(dataset.x_train)
    batch = train.setdefault("batch_size", min(32, rows))
    steps = ceil(rows / batch) if isinstance(batch, int) and batch > 0 else 1
    train.setdefault("epochs", min(max(ceil(_UPDATES / steps), _FEWEST_EPOCHS), _MOST_EPOCHS))
    if dataset.target.kind == "numbers":
        data.setdefault("standardize_targets", True)
    return {**tables, "train": train, "data": data}
