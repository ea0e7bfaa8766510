"""What is chosen where a person chose nothing: from the data, and written into the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from typing import Any

from surefoot.data.dataset import Dataset
from surefoot.data.encoding import Encoding
from surefoot.data.target import Target
from surefoot.nn.nets import Ready, convnet, mlp

Tables = dict[str, Any]

# Small batches generalize well and 32 rows keep two cores busy.
_BATCH = 32
_FULL_GENERATION, _GENERATION = 2048, 512
# Enough updates for a small net to settle at Adam's usual rate.
_UPDATES = 3000
# Tables are noisy, and small ones are soon learned by heart. Means over 5 folds and 3 seeds, with
# dropout 0.3, decay 0.01 and a falling rate against a plain net for twice as long: Titanic
# 82.2 % against 79.8, iris 92.7 against 92.4, wine 96.7 against 96.8, breast cancer 97.3 against
# 97.1.
_TABLE_UPDATES = 1500
_TABLE_OPTIMIZER = {"name": "adamw", "weight_decay": 0.01}
_SMALL_TABLE = 20_000
_FEWEST_EPOCHS, _MOST_EPOCHS = 20, 500
# Below this many pixels a side there is nothing to pool; a dense net sees it all at once.
_SMALL_PICTURE = 16
# From this many on, the first convolution takes every second pixel each way. On 2,199 cats and dogs
# of 64 × 64 that cost a quarter of the time a step, and no accuracy; a third of them held out, a
# deeper net, wider ones, larger filters and random cuts came out within noise or worse.
_LARGE_PICTURE = 48
# There, too: with a rate that falls to 0 along a cosine, 6e-3 gave 74.8 % (means over two splits),
# 1.5e-2 71.8, and in another split 2e-3 72.7 against 74.3; AdamW with decay 0.1 73.4. The test
# pictures were among those 2,199. Without them, a quarter of 1,999 held out: 74.4 % (four splits),
# AdamW with decay 0.1 74.2; in the first two splits 75.0, with cuts down to 0.75 73.3, with a
# fourth block and global average pooling 75.8 for a fifth more time, with all three 74.7.
# Again in the first two splits, where the defaults now gave 75.5: 1,600 updates 73.3, batches of 64
# for 864 updates 74.0. A mean of 2 × 2 pixels before 32-64-128 and global average pooling gave 75.6
# in all four splits, for twice the time; cut to the time of the defaults, 74.1 in the first two.
_PICTURE_UPDATES = 2200
_PICTURE_RATE = 6e-3
_PICTURE_SCHEDULE = {"name": "cosine", "warmup": 0.1}
_SHIFTED = 16  # pictures are moved by up to this part of their side: 4 pixels of 64


def default_net(shape: tuple[int, ...], table_rows: int | None = None) -> Ready:
    """Return a net for examples of this shape: dense for rows, convolutional for pictures.

    Args:
        shape: of one example.
        table_rows: how many rows a table has; `None` where the data are arrays.

    >>> default_net((64,)).text, default_net((64, 64, 3)).text
    ('mlp:128,64', 'convnet:16,32,64')
    """
    if len(shape) == 3 and min(shape[:2]) >= _SMALL_PICTURE:
        return convnet(stride=2 if min(shape[:2]) >= _LARGE_PICTURE else 1)
    if table_rows is not None:
        return mlp(128, 64, dropout=0.3 if table_rows < _SMALL_TABLE else 0.1)
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
    return replace(net, hidden=[layer, *net.hidden])


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
        own = filled.get("optimizer", {})
        if net.rate is not None and isinstance(own, Mapping) and "learning_rate" not in own:
            _fill_optimizer(filled, {"name": "adam", "learning_rate": net.rate})
    return filled


def fill_training(tables: Tables, dataset: Dataset) -> Tables:
    """Choose batch size, epochs and the scale of targets, where nothing was chosen.

    Epochs are as many as make about 3,000 updates, 1,500 for a table, 2,200 for picture files,
    between 20 and 500, or 1 and 500 for rows in a stream. Tables also get decay of the weights and
    a rate that falls to 0 along a cosine; picture files such a rate, and random changes.
    """
    is_table, is_pictures = dataset.encoding is not None, dataset.pictures is not None
    train, data = dict(tables.get("train", {})), dict(tables.get("data", {}))
    rows = dataset.rows
    batch = train.setdefault("batch_size", _batch_size(train, dataset))
    steps = ceil(rows / batch) if isinstance(batch, int) and batch > 0 else 1
    updates = _TABLE_UPDATES if is_table else _PICTURE_UPDATES if is_pictures else _UPDATES
    # Rows that do not fit in memory are so many that one pass over them is worth many over few.
    fewest = _FEWEST_EPOCHS if dataset.stream is None else 1
    train.setdefault("epochs", min(max(ceil(updates / steps), fewest), _MOST_EPOCHS))
    if dataset.target.kind == "numbers":
        data.setdefault("standardize_targets", True)
    filled = {**tables, "train": train, "data": data}
    if is_table:
        _fill_optimizer(filled, _TABLE_OPTIMIZER)
        filled.setdefault("schedule", "cosine")
    if is_pictures:
        # A rate as high as this one needs its layers' outputs normalized.
        if any("batch_norm" in layer for layer in tables["net"]["layers"]):
            _fill_optimizer(filled, {"name": "adam", "learning_rate": _PICTURE_RATE})
        filled.setdefault("schedule", _PICTURE_SCHEDULE)
        given = data.get("augment", {})
        if isinstance(given, Mapping):  # what is not said of it is chosen
            data["augment"] = {**_augment(dataset), **given}
    return filled


def _batch_size(train: Mapping[str, Any], dataset: Dataset) -> int | str:
    """Return how many rows a step sees; of a generation more, since selection follows the loss.

    All rows, where they are few, make the best individual's loss one that never rises.
    """
    if train.get("method", "gradient") == "gradient":
        return min(_BATCH, dataset.rows)
    if dataset.rows <= _FULL_GENERATION and dataset.stream is None:
        return "full"
    return min(_GENERATION, dataset.rows)


def _fill_optimizer(tables: Tables, chosen: Mapping[str, Any]) -> None:
    """Choose the update rule and its numbers, unless a rule was chosen."""
    optimizer = tables.get("optimizer", {})
    if isinstance(optimizer, Mapping) and "name" not in optimizer:
        tables["optimizer"] = {**chosen, **optimizer}


def _augment(dataset: Dataset) -> dict[str, Any]:
    """Return random changes that leave a picture what it is.

    A photograph stays one in the mirror; digits and letters do not, and they come in grey.
    """
    height, width, channels = dataset.x_train.shape[1:]
    return {"flip": channels == 3, "shift": min(height, width) // _SHIFTED}
