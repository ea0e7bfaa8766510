"""`surefoot saliency`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefoot.cli.options import AsJson

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.gradients.saliency import Saliency
    from surefoot.gradients.train_input import TrainedInput

_MOST_RANKED = 20


def saliency(
    run: Annotated[Path, typer.Argument(help="the folder of a finished run", show_default=False)],
    data: Annotated[
        str | None,
        typer.Argument(
            help="rows to take the input from; without it the run's training rows",
            show_default=False,
        ),
    ] = None,
    example: Annotated[
        int | None, typer.Option(help="which row, from 0; 0 unless said", show_default=False)
    ] = None,
    method: Annotated[
        str, typer.Option(metavar="gradient|smooth|integrated", help="how to weigh inputs")
    ] = "gradient",
    target: Annotated[
        str | None, typer.Option(help="a class; the predicted one without it", show_default=False)
    ] = None,
    samples: Annotated[int, typer.Option(help="noisy copies of smooth, points of integrated")] = 64,
    train_input: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS",
            help="train the input instead until it raises this class's score; weights stay",
            show_default=False,
        ),
    ] = None,
    steps: Annotated[int, typer.Option(help="of the input's training")] = 200,
    out: Annotated[
        Path | None, typer.Option(help="draw a picture: .png or .svg", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say which inputs a prediction hangs on, by the gradient with respect to the input."""
    from surefoot.cli.output import console, print_json
    from surefoot.errors import InputError
    from surefoot.figures.save import ENDINGS, save
    from surefoot.files import check_target

    if out is not None:
        check_target(out, ENDINGS, "--out")
    if train_input is not None and (target is not None or method != "gradient"):
        raise InputError("--train-input: names the class itself; leave --target and --method out")
    from surefoot.gradients.pictures import draw_saliency, draw_trained
    from surefoot.gradients.saliency import saliency as find
    from surefoot.gradients.train_input import train_input as climb

    found: Any
    if train_input is None:
        found = find(run, data, example=example or 0, method=method, target=target, samples=samples)
        scene = None if out is None else draw_saliency(found)
    else:
        found = climb(run, train_input, data=data, example=example, steps=steps)
        scene = None if out is None else draw_trained(found)
    if out is not None and scene is not None:
        save(scene, out)
    if as_json:
        print_json({"run": str(run), **found.to_dict(), "picture": out and str(out)})
        return
    people = console()
    (_say if train_input is None else _say_trained)(people, found)
    if out is not None:
        people.print(f"picture: {out}", markup=False, soft_wrap=True)


def _say(people: Console, found: Saliency) -> None:
    from rich.table import Table
    from rich.text import Text

    people.print(
        f"{found.input.said}: score of {found.target} {found.score:.4g}, of an input of zeros "
        f"{found.baseline_score:.4g}\n",
        markup=False,
        soft_wrap=True,
    )
    table = Table(box=None, pad_edge=False)
    for name in ("input", found.method):
        table.add_column(name, justify="left" if name == "input" else "right")
    ranked = found.ranked()
    for name, value in ranked[:_MOST_RANKED]:
        table.add_row(Text(name), f"{value:.4g}")
    people.print(table)
    if len(ranked) > _MOST_RANKED:
        people.print(f"and {len(ranked) - _MOST_RANKED:,} more")
    if found.method == "integrated":
        people.print(
            f"\ntogether {found.values.sum():.6g}, the difference of the scores but for "
            f"{found.completeness:.1e}",
            soft_wrap=True,
        )
    if found.note:
        people.print(found.note, markup=False, soft_wrap=True)


def _say_trained(people: Console, found: TrainedInput) -> None:
    people.print(
        f"score of {found.target}: {found.scores[0]:.4g} before, {found.scores[-1]:.4g} after "
        f"{len(found.scores) - 1:,} steps of the input; no weight was changed",
        markup=False,
        soft_wrap=True,
    )
    if found.chances is not None:
        pairs = sorted(zip(found.chances, found.names, strict=True), reverse=True)[:3]
        likely = ", ".join(f"{name} {chance:.2%}" for chance, name in pairs)
        people.print(f"the net takes it for: {likely}", markup=False, soft_wrap=True)
