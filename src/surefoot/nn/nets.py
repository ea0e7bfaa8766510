"""Ready nets: `mlp`, `convnet`, `resnet`, as the layers of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surefoot.errors import RecipeError, nearest

Layers = list[dict[str, Any]]


@dataclass(frozen=True)
class Ready:
    """A net whose output layer waits for the data.

    Attributes:
        text: the net as a command line has it, such as "mlp:128,64".
        hidden: its layers up to the output.
    """

    text: str
    hidden: Layers

    def layers(self, output: str | None = None) -> Layers:
        """Return all layers, ending in as many units as the target has.

        Args:
            output: the activation at the output; "sigmoid1" is one sigmoid unit for two classes,
                None leaves the outputs raw.

        >>> mlp(8).layers("softmax")
        [{'dense': 8}, {'activation': 'relu'}, {'dense': 'outputs'}, {'activation': 'softmax'}]
        """
        size: str | int = 1 if output == "sigmoid1" else "outputs"
        name = output.removesuffix("1") if output else None
        return [*self.hidden, {"dense": size}, *([{"activation": name}] if name else [])]


def mlp(
    *units: int, activation: str = "relu", dropout: float = 0.0, batch_norm: bool = False
) -> Ready:
    """Return a multi-layer perceptron: dense layers, an activation after each.

    Args:
        units: of each hidden layer, from the input on; none gives a linear model.
        activation: after each hidden layer.
        dropout: after each activation; 0 for none.
        batch_norm: whether to normalize before each activation.
    """
    hidden: Layers = []
    for size in units:
        hidden.append({"dense": size})
        if batch_norm:
            hidden.append({"batch_norm": {}})
        hidden.append({"activation": activation})
        if dropout:
            hidden.append({"dropout": dropout})
    return Ready(f"mlp:{','.join(map(str, units))}".rstrip(":"), hidden)


def convnet(*filters: int, dropout: float = 0.5, stride: int = 1) -> Ready:
    """Return blocks of 3×3 convolution, batch normalization, ReLU and 2×2 max-pooling.

    Args:
        filters: of each block; 16, 32, 64 where none are given.
        dropout: before the output; 0 for none.
        stride: of the first convolution; 2 halves large pictures at once, at a quarter of the time.
    """
    filters = filters or (16, 32, 64)
    hidden: Layers = []
    for place, count in enumerate(filters):
        # Batch normalization subtracts the mean, and a bias with it.
        hidden += _normed_conv(count, stride if place == 0 else 1)
        hidden += [{"activation": "relu"}, {"max_pool": 2, "padding": "same"}]
    hidden.append({"flatten": {}})
    if dropout:
        hidden.append({"dropout": dropout})
    return Ready(f"convnet:{','.join(map(str, filters))}", hidden)


def resnet(depth: int = 20, width: int = 16) -> Ready:
    """Return the residual net that He and others (2016, section 4.2) trained on small pictures.

    Three stages of n blocks with two 3×3 convolutions each, of ``width``, 2·width and 4·width
    filters; the first block of the second and third stage halves the picture. 6n + 2 weight
    layers in all. Equal blocks are one `repeat`, so that depth costs little to compile.

    Args:
        depth: 8, 14, 20, 32, 44, 56, 110…: 6n + 2.
        width: filters of the first stage.

    Raises:
        RecipeError: the depth is not 6n + 2.
    """
    blocks, rest = divmod(depth - 2, 6)
    if rest or blocks < 1:
        below = max(8, 6 * blocks + 2)
        raise RecipeError(
            f"resnet:{depth}: the depth must be 6n + 2, such as {below} or {below + 6}"
        )
    hidden: Layers = [*_normed_conv(width), {"activation": "relu"}]
    for stage in range(3):
        filters = width * 2**stage
        first, same = _block(filters, 1 if stage == 0 else 2), _block(filters, 1)
        if stage == 0:
            hidden += _repeated(blocks, same)
        else:
            hidden += [*first, *_repeated(blocks - 1, same)]
    hidden.append({"global_average_pool": {}})
    return Ready(f"resnet:{depth}" if width == 16 else f"resnet:{depth},{width}", hidden)


def _normed_conv(filters: int, stride: int = 1) -> Layers:
    conv: dict[str, Any] = {"conv": filters, "bias": False}
    if stride != 1:
        conv["stride"] = stride
    return [conv, {"batch_norm": {}}]


def _block(filters: int, stride: int) -> Layers:
    branch = [*_normed_conv(filters, stride), {"activation": "relu"}, *_normed_conv(filters)]
    return [{"residual": branch}, {"activation": "relu"}]


def _repeated(times: int, block: Layers) -> Layers:
    if times == 0:
        return []
    return block if times == 1 else [{"repeat": times, "layers": block}]


READY: dict[str, Callable[..., Ready]] = {"mlp": mlp, "convnet": convnet, "resnet": resnet}


def ready(text: str) -> Ready:
    """Read a net from text: "mlp:128,64", "convnet", "resnet:20".

    >>> ready("mlp:128,64").text
    'mlp:128,64'

    Raises:
        RecipeError: no such net, or its numbers are not whole and positive.
    """
    name, _, rest = text.partition(":")
    if name not in READY:
        raise RecipeError(
            f"net = {text!r}: must be one of mlp:SIZES, convnet, resnet:DEPTH{nearest(name, READY)}"
        )
    try:
        sizes = [int(part) for part in rest.split(",")] if rest else []
    except ValueError:
        sizes = [0]
    if any(size < 1 for size in sizes):
        raise RecipeError(
            f"net = {text!r}: {rest!r} must be whole numbers above 0 with commas between"
        )
    if name == "resnet" and len(sizes) > 2:
        raise RecipeError(f"net = {text!r}: resnet takes a depth and a width")
    return READY[name](*sizes)


def needs_pictures(layers: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether any layer looks at pictures as pictures: a convolution or a pooling.

    >>> needs_pictures([{"residual": [{"conv": 8}]}]), needs_pictures([{"dense": 8}])
    (True, False)
    """
    for layer in layers:
        if any(kind in layer for kind in _PICTURE_KINDS):
            return True
        inner = layer.get("residual") or layer.get("layers") or ()
        if needs_pictures(inner):
            return True
    return False


_PICTURE_KINDS = ("conv", "max_pool", "average_pool", "global_average_pool")
