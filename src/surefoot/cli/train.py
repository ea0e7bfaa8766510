"""`surefoot train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefoot.cli.options import AsJson, Assign, Net, Quiet

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from surefoot.data import Encoding
    from surefoot.doctor.finding import Finding
    from surefoot.job import Job
    from surefoot.recipe import Recipe
    from surefoot.run import Run

# What `--json` prints of a run's summary.
JSON_NAMES = ("run", "metrics", "epochs", "steps", "seconds", "ended", "findings")
# More columns than these are counted and not shown.
_MOST_COLUMNS = 60


def train(
    source: Annotated[
        str,
        typer.Argument(
            help="a built-in set (see `surefoot datasets`), a table (.csv, .parquet, .jsonl), a "
            "folder of pictures, a .npz file, or a recipe.toml",
            show_default=False,
        ),
    ],
    target: Annotated[
        list[str] | None,
        typer.Option(help="a table's column to predict; may be repeated", show_default=False),
    ] = None,
    net: Net = None,
    optimizer: Annotated[
        str | None, typer.Option(help="update rule, such as adam or sgd", show_default=False)
    ] = None,
    lr: Annotated[float | None, typer.Option(help="learning rate", show_default=False)] = None,
    schedule: Annotated[
        str | None, typer.Option(help="of the learning rate, such as cosine", show_default=False)
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="passes over the data", show_default=False)
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="rows per step", show_default=False)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="of weights, order and dropout", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="the run's folder; default: runs/SOURCE-N", show_default=False),
    ] = None,
    assign: Assign = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Train a network, and keep the run in a folder.

    What is not said is chosen from the data and written into the run's recipe.
    """
    from surefoot.cli.output import console
    from surefoot.processes import together
    from surefoot.recipe.overrides import parse_assignments

    options = {
        "data.target": target or None,
        "learning_rate": lr,
        "schedule": schedule,
        "epochs": epochs,
        "batch_size": batch_size,
        "seed": seed,
    }
    keys: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    keys.update(parse_assignments(assign or []))
    with together():
        return _train(
            {"source": source, "net": net, "optimizer": optimizer, "keys": keys},
            out,
            console(quiet),
            as_json,
        )


def _train(asked: dict[str, Any], out: Path | None, people: Console, as_json: bool) -> int:
    """Train what was asked for; return the exit code."""
    from surefoot.cli.findings import say
    from surefoot.cli.output import print_json
    from surefoot.cli.progress import TrainingProgress
    from surefoot.cli.report import add_report
    from surefoot.engine.agreement import everybody
    from surefoot.job import prepare
    from surefoot.keeper import new_folder
    from surefoot.processes import is_first
    from surefoot.trainer import execute, follow

    with everybody():
        job = prepare(**asked)
    if not is_first():
        follow(job)
        return 0
    progress = TrainingProgress(
        people, job.cohort.total_steps, job.recipe.train.epochs, job.cohort.measure
    )

    def tell(finding: Finding) -> None:
        say(people, finding)
        progress.found(finding)

    with new_folder(out, job.dataset.source) as path:
        _introduce(people, job)
        with progress:
            run = execute(job, path, progress.block, tell, people.print)
    conclude(people, job, run)
    add_report(people, run.path, job.dataset)
    if as_json:
        print_json({name: run.summary[name] for name in JSON_NAMES})
    return exit_code(run)


def exit_code(run: Run) -> int:
    """Return what a shell gives to a command that a signal ended; 0 where none did."""
    import signal

    name = run.summary.get("interrupted_by")
    return 0 if name is None else 128 + signal.Signals[name].value


def _introduce(people: Console, job: Job) -> None:
    """Say what is about to be trained."""
    from rich.markup import escape

    from surefoot.cli.data import remarks

    data, recipe = job.dataset, job.recipe
    held_out = 0 if data.x_val is None else len(data.x_val)
    shape = "×".join(map(str, data.feature_shape))
    kind = {
        "classes": f"{data.target.size} classes",
        "labels": f"{data.target.size} labels",
        "numbers": f"{data.target.size} number{'s' if data.target.size > 1 else ''} to predict",
    }[data.target.kind]
    people.print(
        f"[bold]{escape(data.source)}[/]: {data.rows:,} training rows, {held_out:,} for "
        f"validation, {shape} inputs, {kind}",
        soft_wrap=True,
    )
    if data.encoding is not None:
        people.print(_treatments(data.encoding))
    # Where nobody reads it, compiling need not wait for it.
    for note in () if people.quiet else (*remarks(job.look), *data.notes):
        people.print(note, markup=False, soft_wrap=True)
    weights = sum(site.weights for site in job.cohort.blueprint.network.sites)
    people.print(
        f"{_describe_net(job)} ({weights:,} weights), {_describe_method(recipe)}, "
        f"{recipe.train.loss}, batches of {job.cohort.batch}, {recipe.train.epochs} epochs",
        soft_wrap=True,
    )


def _describe_method(recipe: Recipe) -> str:
    """Return what changes the weights: "adam at 0.001", "genetic algorithm, 256 individuals"."""
    if recipe.train.method != "gradient":
        name = "genetic algorithm"
        if recipe.train.method == "evolution_strategy":
            name = f"evolution strategy {recipe.evolution.strategy}"
        return f"{name}, {recipe.evolution.population:,} individuals"
    rate = getattr(recipe.optimizer, "learning_rate", None)
    return recipe.optimizer.name + (f" at {rate:g}" if rate is not None else "")


def _treatments(encoding: Encoding) -> Table:
    """Return what was done with each column of a table."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("column", "kind", "treatment"):
        table.add_column(name, overflow="fold")
    shown = encoding.treatments[:_MOST_COLUMNS]
    for treatment in shown:
        table.add_row(escape(treatment.column), treatment.kind, escape(treatment.what))
    if len(shown) < len(encoding.treatments):
        table.add_row(f"and {len(encoding.treatments) - len(shown):,} more")
    return table


def _describe_net(job: Job) -> str:
    """Return the sizes along the net: "64-128-64-10"."""
    network = job.cohort.blueprint.network
    sized = [s for s in network.sites if s.kind in ("dense", "conv")]
    if len(sized) > 8:
        return f"{len(sized)} dense and convolutional layers"
    sizes = ["×".join(map(str, network.input_shape)), *(str(s.shape[-1]) for s in sized)]
    return "-".join(sizes)


def conclude(people: Console, job: Job, run: Run) -> None:
    """Say how it went and where everything is."""
    from rich.markup import escape
    from rich.table import Table

    from surefoot.cli.findings import conclude as say_findings

    summary, measure = run.summary, job.cohort.measure
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for column in ("loss", measure):
        table.add_column(column, justify="right")
    for part, values in summary["metrics"].items():
        loss, value = values["loss"], values[measure]
        table.add_row(part, _figure(loss), _figure(value, share=measure == "accuracy"))
    people.print()
    people.print(table)
    people.print()
    reasons = {
        "early": f"stopped early; the weights of epoch {summary['best_epoch']} are kept",
        "diverged": (
            f"[bold red]diverged at step {summary['diverged_at']}[/]: loss or gradient was not "
            f"finite; the weights before that step are kept{_origin(summary)}. Try a lower "
            "learning rate"
        ),
        "interrupted": (
            "interrupted; the weights reached so far are kept, and `surefoot resume "
            f"{escape(str(run.path))}` goes on"
        ),
    }
    for back in summary.get("rollbacks", []):
        people.print(
            f"went back from step {back['from']:,} to {back['to']:,} with half the learning rate"
            + (f": {back['origin']}" if back["origin"] else ""),
            soft_wrap=True,
        )
    if summary["ended"] in reasons:
        people.print(reasons[summary["ended"]], soft_wrap=True)
    if summary.get("no_model"):
        people.print(f"no model was saved: {escape(summary['no_model'])}", soft_wrap=True)
    say_findings(people, run)
    train_seconds = summary["seconds"] - summary["compile_seconds"]
    people.print(
        f"{_count(summary['epochs'], 'epoch')}, {_count(summary['steps'], 'step')} "
        f"in {summary['seconds']:.1f} s (compilation {summary['compile_seconds']:.1f} s, "
        f"{max(train_seconds, 0) / max(summary['steps'], 1) * 1e6:.0f} µs a step)",
        soft_wrap=True,
    )
    path = escape(str(run.path))
    people.print(
        f"run: [bold]{path}[/]    predict: surefoot predict {path} {_file(job)}", soft_wrap=True
    )


def _origin(summary: dict[str, Any]) -> str:
    """Say where values stopped being finite, where that is known."""
    from surefoot.engine.nonfinite import Origin

    known = summary.get("nonfinite")
    return "" if known is None else f"; {Origin(**known).sentence}"


def _file(job: Job) -> str:
    """Return what a file to predict is called, by the kind of source."""
    if job.dataset.pictures is not None:
        return "'FOLDER/*.jpg'"
    return "FILE.npz" if job.dataset.encoding is None else "FILE.csv"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _figure(value: float | None, share: bool = False) -> str:
    if value is None:
        return "not finite"
    return f"{value:.2%}" if share else f"{value:.4g}"
