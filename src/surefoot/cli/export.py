"""`surefoot export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from surefoot.cli.options import AsJson


def export(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="RUN", help="the folder of a run, a repair or a study", show_default=False
        ),
    ],
    table: Annotated[
        str | None,
        typer.Option(help="such as metrics or vitals; into .csv or .parquet", show_default=False),
    ] = None,
    chart: Annotated[
        str | None,
        typer.Option(help="such as loss or update_ratio; into .png or .svg", show_default=False),
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="the file of the table or chart", show_default=False)
    ] = None,
    tensorboard: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="write event files for TensorBoard", show_default=False),
    ] = None,
    mlflow: Annotated[
        str | None,
        typer.Option(
            metavar="URI", help="write into MLflow: a server or sqlite:///FILE", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a table, a chart or a whole run for other programs; alone, list what there is."""
    from surefoot.cli.output import console, print_json
    from surefoot.errors import InputError

    if table is not None and chart is not None:
        raise InputError("--table and --chart: give one of them, or export twice")
    if (to is None) != (table is None and chart is None):
        raise InputError("--to: give the file beside --table or --chart, and neither alone")
    people = console()
    done: dict[str, Any] = {}
    if table is not None and to is not None:
        from surefoot.exports.tables import export_table

        rows = export_table(folder, table, to)
        done |= {"table": str(to), "rows": rows}
        people.print(f"{to}: {rows:,} rows", markup=False, soft_wrap=True)
    if chart is not None and to is not None:
        from surefoot.exports.pictures import export_chart

        export_chart(folder, chart, to)
        done["chart"] = str(to)
        people.print(f"chart: {to}", markup=False, soft_wrap=True)
    if tensorboard is not None:
        from surefoot.exports.tensorboard import export_tensorboard

        path = export_tensorboard(folder, tensorboard)
        done["tensorboard"] = str(path)
        line = f"{path}; see it with `tensorboard --logdir {tensorboard}`"
        people.print(line, markup=False, soft_wrap=True)
    if mlflow is not None:
        from surefoot.exports.mlflow import export_mlflow

        done["mlflow"] = export_mlflow(folder, mlflow)
        people.print(f"MLflow run: {done['mlflow']}", markup=False, soft_wrap=True)
    if not done:
        from surefoot.exports.pictures import chart_names
        from surefoot.exports.tables import table_names

        done = {"tables": table_names(folder), "charts": chart_names(folder)}
        for name, names in done.items():
            people.print(f"{name}: {', '.join(names) or 'none'}", markup=False, soft_wrap=True)
    if as_json:
        print_json(done)
