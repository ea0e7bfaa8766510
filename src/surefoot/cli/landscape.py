"""`surefoot landscape`."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surefoot.cli.options import AsJson

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.landscape.record import Landscape

# Edges of the histogram's bins, as shares of the largest absolute eigenvalue.
_EDGES = (-1.0, -0.1, -0.01, -0.001, 0.001, 0.01, 0.1, 1.0)
_WIDTH = 40


def landscape(
    run: Annotated[Path, typer.Argument(help="the folder of a finished run", show_default=False)],
    at: Annotated[
        str, typer.Option(metavar="best|last|STEP", help="which of the run's weights")
    ] = "last",
    rows: Annotated[int, typer.Option(help="training rows to measure on, at most")] = 1024,
    slice_: Annotated[
        bool, typer.Option("--slice", help="measure the loss along a line through the weights")
    ] = False,
    surface: Annotated[
        bool, typer.Option("--surface", help="measure the loss on a plane through the weights")
    ] = False,
    plane: Annotated[
        str | None,
        typer.Option(
            metavar="path|random",
            help="where line or plane lie; a slice is random, a surface the path's",
            show_default=False,
        ),
    ] = None,
    points: Annotated[
        int | None,
        typer.Option(help="points along each axis; 51 of a slice, 25 of a surface"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what kind of place training has come to: slope, saddle, minimum or flat region.

    Measures gradient and Hessian at a point of the run, tries ways out, and keeps the numbers in
    the run's landscape.parquet. With --slice or --surface the loss on a line or plane is measured
    instead, and kept in surface.parquet; surefoot report draws it.
    """
    kinds = [kind for kind, asked in (("slice", slice_), ("surface", surface)) if asked]
    if kinds:
        _sections(run, at, kinds, plane, points, rows, as_json)
        return
    if plane is not None or points is not None:
        from surefoot.errors import InputError

        raise InputError("--plane and --points: of what? Add --slice or --surface")
    from surefoot.cli.output import console, print_json
    from surefoot.doctor.plateau import judge
    from surefoot.landscape.record import measure_landscape

    found = measure_landscape(run, at, rows=rows)
    verdict = judge(found.numbers)
    if as_json:
        spectrum = found.point.spectrum
        print_json(
            {
                "run": str(run),
                "which": found.which,
                "step": found.step,
                "verdict": verdict.kind,
                "cause": verdict.cause,
                "explanation": verdict.sentence,
                "evidence": dict(verdict.evidence),
                "point": found.numbers,
                "spectrum": {
                    "eigenvalues": spectrum.nodes.tolist(),
                    "shares": spectrum.weights.tolist(),
                },
            }
        )
        return
    people = console()
    which = "" if found.which == "step" else f", its {found.which} weights"
    people.print(f"{run}, step {found.step:,}{which}", markup=False, soft_wrap=True)
    people.print(f"\n[bold]{verdict.kind}[/]", soft_wrap=True)
    people.print(verdict.sentence, markup=False)
    _evidence(people, found)
    _spectrum(people, found)


def _sections(
    run: Path,
    at: str,
    kinds: list[str],
    plane: str | None,
    points: int | None,
    rows: int,
    as_json: bool,
) -> None:
    """Measure slices and planes, and say what they show."""
    from surefoot.cli.output import console, print_json
    from surefoot.cli.sections import as_dict, measured, show

    found = measured(run, at, kinds, plane, points, rows)
    if as_json:
        told = {section.kind: as_dict(section) for section in found}
        print_json({"run": str(run), "which": found[0].which, "step": found[0].step, **told})
        return
    people = console()
    which = "" if found[0].which == "step" else f", its {found[0].which} weights"
    people.print(f"{run}, step {found[0].step:,}{which}", markup=False, soft_wrap=True)
    for section in found:
        show(people, section)
    people.print(
        f"\nkept in {run / 'surface.parquet'}; surefoot report {run} draws it",
        markup=False,
        soft_wrap=True,
    )


def _evidence(people: Console, found: Landscape) -> None:
    """Say the numbers, in words; what was not measured is left out."""
    numbers = found.numbers
    lines = {
        "loss": ("loss", "{loss:.6g}; a constant prediction has {baseline_loss:.4g}"),
        "gradient_norm": (
            "gradient norm",
            "{gradient_norm:.3g}, of which sampling noise is {gradient_noise:.2g}",
        ),
        "gradient_to_start": ("", "{gradient_to_start:.2g} times that of the first step"),
        "newton_loss": ("loss after a Newton step", "{newton_loss:.6g}"),
        "curvature_to_limit": (
            "curvature along the gradient",
            "{gradient_curvature:.3g}: {curvature_to_limit:.2g} times the limit 2/η at η = "
            "{rate:.3g}",
        ),
        "step_loss": (
            "loss after a step of η",
            "{step_loss:.6g}; cosine of the gradients before and after: {step_cosine:.2f}",
        ),
        "dead_share": ("dead units", "{dead_share:.0%} of the layer that has most"),
        "saturated_share": ("saturated outputs", "{saturated_share:.0%} of the layer with most"),
        "descent_loss": (
            "loss after descent",
            "{descent_loss:.6g}, plain, in {descent_steps:.0f} steps",
        ),
        "escape_loss": (
            "escape",
            "along the most negative curvature {escape_loss:.6g}; and after descent from there "
            "{escape_descent_loss:.6g}",
        ),
        "perturbed_loss": ("", "from random steps along flat directions {perturbed_loss:.6g}"),
    }
    rows = [
        (name, text.format(**numbers))
        for column, (name, text) in lines.items()
        if numbers[column] == numbers[column]
    ]
    _table(people, rows)


def _spectrum(people: Console, found: Landscape) -> None:
    """Show the ends of the spectrum, and where its eigenvalues lie."""
    numbers, spectrum = found.numbers, found.point.spectrum
    scale = spectrum.extremes.scale
    rows = [
        (
            "Hessian",
            f"eigenvalues from {numbers['smallest_eigenvalue']:.4g} to "
            f"{numbers['largest_eigenvalue']:.4g}, by {numbers['products']:.0f} products on "
            f"{numbers['rows']:,.0f} rows",
        )
    ]
    _table(people, rows)
    if not scale > 0:
        return
    bins = []
    for low, high in pairwise(_EDGES):
        # The ends belong to the outermost bins.
        bounds = (edge * scale * (1.001 if abs(edge) == 1 else 1) for edge in (low, high))
        share = spectrum.share(*bounds)
        # Few eigenvalues are what matters: a bar says at least that there are any.
        bar = "█" * max(round(share * _WIDTH), int(share > 0))
        bins.append((f"{low * scale:.2g} to {high * scale:.2g}", f"{share:7.2%} {bar}"))
    _table(people, bins)


def _table(people: Console, rows: list[tuple[str, str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(2):
        table.add_column()
    for name, text in rows:
        table.add_row(Text(name), Text(text))
    people.print()
    people.print(table)
