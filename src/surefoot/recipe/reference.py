"""The reference of every key of a recipe, made from the models: `docs/recipe.md`."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from surefoot.recipe.average import AVERAGES
from surefoot.recipe.checkpoints import Checkpoints
from surefoot.recipe.data import Augment, Data, Pictures
from surefoot.recipe.devices import Devices
from surefoot.recipe.evolution import Evolution
from surefoot.recipe.initializers import INITIALIZER_NUMBERS, InitializerSpec
from surefoot.recipe.layers import ACTIVATION_NUMBERS, LAYER_KINDS, ActivationName, Net
from surefoot.recipe.layers import BatchNormOptions as BatchNorm
from surefoot.recipe.optimizer import RULES, CustomRule, OptaxRule
from surefoot.recipe.pretrain import Pretrain
from surefoot.recipe.root import Recipe
from surefoot.recipe.schedule import SCHEDULES
from surefoot.recipe.section import MAX_COUNT, is_lane_number
from surefoot.recipe.train import EarlyStopping, Train, Vitals
from surefoot.recipe.transfer import Transfer

_HEAD = """\
# The keys of a recipe

A recipe is a TOML file that says everything about one training run. It may hold a bad idea: only
the impossible is refused, in one line that names the key. On the command line `--set KEY=VALUE`
sets one key: `--set train.epochs=3`, `--set net.layers.0.dense=64`, or by the last name alone
where it is the only one, `--set epochs=3`.

A key with a star is a number of the compiled program: recipes that differ in such keys alone
(given or left out in both) train together, as lanes of one program.

*This page is made from the code: `python -m surefoot.recipe.reference > docs/recipe.md`.*
"""


def markdown() -> str:
    """Return the reference as Markdown.

    >>> markdown().splitlines()[0]
    '# The keys of a recipe'
    """
    return "\n".join(_lines()) + "\n"


def sections() -> Iterator[type[BaseModel]]:
    """Yield the model of each table that a recipe may hold."""
    yield from (
        Recipe,
        Data,
        Pictures,
        Augment,
        Net,
        *LAYER_KINDS.values(),
        BatchNorm,
        InitializerSpec,
    )
    yield from (*RULES.values(), OptaxRule, CustomRule, *SCHEDULES.values())
    yield from AVERAGES.values()
    yield from (Train, EarlyStopping, Evolution, Pretrain, Transfer, Devices, Vitals, Checkpoints)


def _lines() -> Iterator[str]:
    yield _HEAD
    yield from _section("## The whole", Recipe)
    yield from _section("## `[data]`", Data)
    yield from _section("### `[data.pictures]`", Pictures)
    yield from _section("### `[data.augment]`", Augment)
    yield from _section("## `[net]`", Net)
    yield "## Layers\n"
    yield "A layer is a table whose first key is its kind. Errors count layers from 1, and"
    yield "layers within a layer as 3.1, 3.2.\n"
    for kind, spec in LAYER_KINDS.items():
        yield from _section(f"### `{kind}`", spec)
        if kind == "batch_norm":
            yield from _table(BatchNorm)
        if kind == "activation":
            yield "Numbers and their defaults:\n"
            names = get_args(ActivationName)
            yield from _numbers({name: ACTIVATION_NUMBERS.get(name, {}) for name in names})
    yield from _section("## Initializers", InitializerSpec)
    yield "Numbers and their defaults. A bias takes those without a gain:\n"
    yield from _numbers(INITIALIZER_NUMBERS)
    yield "## `[optimizer]`\n"
    yield "η is the learning rate of the step, g the gradient, w a weight, t the step from 1.\n"
    for name, rule in [*RULES.items(), ("optax.…", OptaxRule), ("custom", CustomRule)]:
        yield from _section(f"### `{name}`", rule)
    yield "## `[schedule]`\n"
    yield "η is the optimizer's learning rate, t the step, p the share of the steps after the"
    yield "warm-up that is done.\n"
    for name, schedule in SCHEDULES.items():
        yield from _section(f"### `{name}`", schedule)
    yield from _section("## `[train]`", Train)
    yield from _section("### `early_stopping`", EarlyStopping)
    yield "## `[average]`\n"
    yield "The mean of the weights wᵢ after each step, which a run leaves behind in place of the"
    yield "last ones: [docs/ensembles.md](ensembles.md).\n"
    for name, average in AVERAGES.items():
        yield from _section(f"### `{name}`", average)
    yield from _section("## `[pretrain]`", Pretrain)
    yield from _section("## `[transfer]`", Transfer)
    yield from _section("## `[devices]`", Devices)
    yield from _section("## `[evolution]`", Evolution)
    yield from _section("## `[vitals]`", Vitals)
    yield from _section("## `[checkpoints]`", Checkpoints)


def _section(heading: str, model: type[BaseModel]) -> Iterator[str]:
    text = inspect.getdoc(model) or ""
    # The example of a docstring is for Python; the reference is for a file.
    yield f"{heading}\n\n{text.partition('>>>')[0].strip().replace('``', '`')}\n"
    yield from _table(model)


def _table(model: type[BaseModel]) -> Iterator[str]:
    yield "| key | value | default | meaning |"
    yield "| --- | --- | --- | --- |"
    # A name stands first, also where a base class brings other keys.
    for name, field in sorted(model.model_fields.items(), key=lambda item: item[0] != "name"):
        star = " *" if is_lane_number(field) else ""
        value = _words(field.annotation, field.metadata)
        yield f"| `{name}`{star} | {value} | {_default(field)} | {field.description} |"
    yield ""


def _numbers(names: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    for name, numbers in names.items():
        texts = [f"`{key} = {_plain(value)}`" for key, value in numbers.items()]
        yield f"- `{name}`{': ' * bool(texts)}{', '.join(texts)}"
    yield ""


def _words(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """Say in words what an annotation allows."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _words(arguments[0], [*arguments[1:], *metadata])
    if origin in (Union, UnionType):
        words = [_words(part, metadata) for part in arguments if part is not NoneType]
        return " or ".join(dict.fromkeys(words))
    if origin is Literal:
        return ", ".join(f'`"{name}"`' for name in arguments)
    if origin is tuple:
        if arguments == (int, int):
            return "whole number ≥ 1, or `[height, width]`"
        if arguments[0] is str:
            return "text or list of texts"
        return "table" if get_origin(arguments[0]) is tuple else "list of layers"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "name or table" if "name" in annotation.model_fields else "table"
    word = {bool: "true or false", int: "whole number", float: "number", str: "text"}[annotation]
    return ", ".join([word, *_bounds(metadata)])


def _bounds(metadata: Iterable[Any]) -> Iterator[str]:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from _bounds(item.metadata)
        for name, sign in signs.items():
            bound = getattr(item, name, None)
            if bound is not None and bound != MAX_COUNT:
                yield f"{sign} {_plain(bound)}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    match value:
        case None:
            return "–"
        case InitializerSpec():
            return f'`"{value.name}"`'
        case BaseModel():
            name = getattr(value, "name", None)
            return f'`"{name}"`' if name else "its defaults"
        case tuple():
            return f"`{value[0]}`" if value else "none"
        case _:
            return f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case str():
            return f'"{value}"'
        case _:
            return str(value)


if __name__ == "__main__":
    print(markdown(), end="")
