"""`surefoot backprop`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefoot.cli.options import AsJson, Assign, Net

if TYPE_CHECKING:
    from rich.table import Table

    from surefoot.gradients.backprop import Backprop, LayerStep

# Arrays of at most so many numbers are shown whole.
_MOST_SHOWN, _MOST_IN_A_ROW = 32, 8


def backprop(
    source: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE|SOURCE|RUN", help="whose net to go through", show_default=False
        ),
    ],
    example: Annotated[int, typer.Option(help="which training row, from 0")] = 0,
    net: Net = None,
    assign: Assign = None,
    as_json: AsJson = False,
) -> int:
    """Show backpropagation for one example: z, a, the signal and the gradients of each layer.

    Checks both products, ∂L/∂W = xᵀg and ∂L/∂x = gWᵀ, and counts what storing saves.
    """
    from surefoot.cli.output import console, print_json
    from surefoot.gradients.backprop import backprop as show
    from surefoot.recipe.overrides import parse_assignments

    found = show(source, example, net=net, keys=dict(parse_assignments(assign or [])))
    code = 0 if found.agrees else 1
    if as_json:
        print_json(found.to_dict())
        return code
    people = console()
    people.print(
        f"training row {found.example}, target {found.target}: loss {found.loss:.6g}, prediction "
        f"{_numbers(found.prediction)}\n",
        markup=False,
        soft_wrap=True,
    )
    people.print(_table(found))
    for note in found.notes:
        people.print(note, markup=False, soft_wrap=True)
    people.print(f"\n{_checked(found)}", style="bold", markup=False, soft_wrap=True)
    people.print(f"\n{found.products.sentence}", markup=False, soft_wrap=True)
    return code


def _table(found: Backprop) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("layer", "", "", "shape", "numbers"):
        table.add_column(name, overflow="fold")
    table.add_row("", "input", "x", _shape(found.input), Text(_numbers(found.input)))
    for step in found.layers:
        for i, (name, array) in enumerate(step.arrays().items()):
            first = (step.layer, step.kind) if i == 0 else ("", "")
            table.add_row(*first, name, _shape(array), Text(_numbers(array)))
    return table


def _checked(found: Backprop) -> str:
    """Say what was checked."""
    dense: list[LayerStep] = [step for step in found.layers if step.checks]
    worst = max((error for step in dense for error in step.checks.values()), default=0.0)
    products = (
        f"∂L/∂W = xᵀg, ∂L/∂x = gWᵀ and ∂L/∂b = g hold in {len(dense)} dense "
        f"layer{'' if len(dense) == 1 else 's'} (largest difference {worst:.1e}); "
        if dense
        else ""
    )
    verdict = "agree" if found.agrees else "do NOT agree"
    return (
        f"{products}all gradients {verdict} with reverse mode on the whole net "
        f"({found.largest_error:.1e})"
    )


def _shape(array: Any) -> str:
    return "×".join(map(str, array.shape)) or "1"


def _numbers(array: Any) -> str:
    """Return a small array's numbers, and of a large one what they are like.

    >>> import numpy as np
    >>> _numbers(np.array([0.5, -1.0]))
    '0.5 -1'
    >>> _numbers(np.arange(100.0) - 50)
    'rms 28.9, from -50 to 49, 1% zeros'
    """
    import numpy as np

    flat = np.ravel(array)
    if flat.size <= _MOST_SHOWN and (array.ndim < 2 or array.shape[-1] <= _MOST_IN_A_ROW):
        rows = array.reshape(-1, array.shape[-1]) if array.ndim > 1 else [flat]
        return "\n".join(" ".join(f"{value:.4g}" for value in row) for row in rows)
    zeros = np.mean(flat == 0)
    told = f"rms {np.sqrt(np.mean(np.square(flat))):.3g}, from {flat.min():.3g} to {flat.max():.3g}"
    return told + (f", {zeros:.0%} zeros" if zeros else "")
