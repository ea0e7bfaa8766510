"""Ready nets, from `mlp` to `delta_orthogonal`, as the layers of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from surefoot.errors import RecipeError, nearest
from surefoot.nn.criticality import critical_tanh

Layers = list[dict[str, Any]]


@dataclass(frozen=True)
class Ready:
    """A net whose output layer waits for the data.

    Attributes:
        text: the net as a command line has it, such as "mlp:128,64".
        hidden: its layers up to the output.
        output: keys of the output layer besides its size.
        rate: Adam's rate that suits it, where that is not the usual one.
    """

    text: str
    hidden: Layers
    output: Mapping[str, Any] = field(default_factory=dict)
    rate: float | None = None

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
        last = {"dense": size, **self.output}
        return [*self.hidden, last, *([{"activation": name}] if name else [])]


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
    return _stages("resnet", depth, width, _normed_conv, residual=True)


def plain(depth: int = 20, width: int = 16) -> Ready:
    """Return `resnet` without its connections: He and others' plain net, normalized.

    Its training shows degradation: the deeper one fits its training data worse.

    Args:
        depth: 8, 14, 20, 32, 44, 56, 110…: 6n + 2.
        width: filters of the first stage.

    Raises:
        RecipeError: the depth is not 6n + 2.
    """
    return _stages("plain", depth, width, _normed_conv, residual=False)


def fixup(depth: int = 20, width: int = 16) -> Ready:
    """Return `resnet` without normalization, its weights started by Fixup instead.

    Each convolution has a bias for each filter, where the source has one for all and a
    multiplier for each branch.

    Args:
        depth: 8, 14, 20, 32, 44, 56, 110, 200…: 6n + 2.
        width: filters of the first stage.

    Raises:
        RecipeError: the depth is not 6n + 2.

    Source: Zhang, Dauphin & Ma (2019), *Fixup initialization*.

    >>> fixup(8).layers()[-1]
    {'dense': 'outputs', 'initializer': 'fixup'}
    """
    return _stages("fixup", depth, width, _fixup_conv, residual=True, initializer="fixup")


def delta_orthogonal(depth: int = 1000, width: int = 8) -> Ready:
    """Return a plain net of tanh convolutions that trains at any depth by its start alone.

    No normalization, no connections: the first convolution halves the picture, all others keep
    it and are one `repeat`, started as delta-orthogonal filters at tanh's critical point, so that
    signals keep their size both ways. The rate that suits it falls with depth: where nothing is
    said, Adam's is 0.1 / depth from 100 layers on.

    Args:
        depth: weight layers, with the output: at least 3.
        width: filters of each convolution.

    Raises:
        RecipeError: the depth is below 3.

    Source: Xiao and others (2018), *Dynamical isometry and a mean field theory of CNNs*.
    """
    if depth < 3:
        raise RecipeError(f"delta-orthogonal:{depth}: the depth must be at least 3")
    # Six places are enough for 100,000 layers, and can be read.
    gain, stddev = (round(number, 6) for number in critical_tanh())
    inner = {
        "conv": width,
        "initializer": {"name": "delta_orthogonal", "gain": gain},
        "bias_initializer": {"name": "normal", "stddev": stddev},
    }
    tanh = {"activation": "tanh"}
    # A delta would look at every fourth pixel alone.
    first = {"conv": width, "stride": 2, "initializer": "lecun_normal"}
    hidden: Layers = [first, tanh, *_repeated(depth - 2, [inner, tanh]), {"flatten": {}}]
    text = f"delta-orthogonal:{depth}" if width == 8 else f"delta-orthogonal:{depth},{width}"
    return Ready(text, hidden, {"initializer": "lecun_normal"}, rate=min(1e-3, 0.1 / depth))


def _stages(
    name: str,
    depth: int,
    width: int,
    conv: Callable[[int, int], Layers],
    residual: bool,
    **output: Any,
) -> Ready:
    """Return the three stages of He's nets, of blocks of two convolutions each."""
    blocks, rest = divmod(depth - 2, 6)
    if rest or blocks < 1:
        below = max(8, 6 * blocks + 2)
        raise RecipeError(
            f"{name}:{depth}: the depth must be 6n + 2, such as {below} or {below + 6}"
        )
    relu = {"activation": "relu"}

    def block(filters: int, stride: int) -> Layers:
        branch = [*conv(filters, stride), relu, *conv(filters, 1)]
        return [{"residual": branch}, relu] if residual else [*branch, relu]

    hidden: Layers = [*conv(width, 1), relu]
    for stage in range(3):
        filters = width * 2**stage
        if stage == 0:
            hidden += _repeated(blocks, block(filters, 1))
        else:
            hidden += [*block(filters, 2), *_repeated(blocks - 1, block(filters, 1))]
    hidden.append({"global_average_pool": {}})
    return Ready(f"{name}:{depth}" if width == 16 else f"{name}:{depth},{width}", hidden, output)


def _normed_conv(filters: int, stride: int = 1) -> Layers:
    conv: dict[str, Any] = {"conv": filters, "bias": False}
    if stride != 1:
        conv["stride"] = stride
    return [conv, {"batch_norm": {}}]


def _fixup_conv(filters: int, stride: int = 1) -> Layers:
    conv: dict[str, Any] = {"conv": filters, "initializer": "fixup"}
    if stride != 1:
        conv["stride"] = stride
    return [conv]


def _repeated(times: int, block: Layers) -> Layers:
    if times == 0:
        return []
    return block if times == 1 else [{"repeat": times, "layers": block}]


READY: dict[str, Callable[..., Ready]] = {
    "mlp": mlp,
    "convnet": convnet,
    "resnet": resnet,
    "plain": plain,
    "fixup": fixup,
    "delta-orthogonal": delta_orthogonal,
}
_DEPTHS = ("resnet", "plain", "fixup", "delta-orthogonal")


def ready(text: str) -> Ready:
    """Read a net from text: "mlp:128,64", "convnet", "resnet:20", "delta-orthogonal:1000".

    >>> ready("mlp:128,64").text
    'mlp:128,64'

    Raises:
        RecipeError: no such net, or its numbers are not whole and positive.
    """
    name, _, rest = text.partition(":")
    if name not in READY:
        raise RecipeError(
            f"net = {text!r}: must be one of mlp:SIZES, convnet, "
            f"{', '.join(f'{known}:DEPTH' for known in _DEPTHS)}{nearest(name, READY)}"
        )
    try:
        sizes = [int(part) for part in rest.split(",")] if rest else []
    except ValueError:
        sizes = [0]
    if any(size < 1 for size in sizes):
        raise RecipeError(
            f"net = {text!r}: {rest!r} must be whole numbers above 0 with commas between"
        )
    if name in _DEPTHS and len(sizes) > 2:
        raise RecipeError(f"net = {text!r}: {name} takes a depth and a width")
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
