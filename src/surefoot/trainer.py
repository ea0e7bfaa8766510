"""From a source of data, or a recipe, to a trained network in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from surefoot.checksums import check
from surefoot.control import running
from surefoot.doctor.diagnosis import Diagnosis
from surefoot.doctor.finding import Finding
from surefoot.doctor.watching import Watcher
from surefoot.engine.checkpoint import Point
from surefoot.engine.events import Block, Silent
from surefoot.engine.leading import Following, dismiss, led
from surefoot.engine.model import Model
from surefoot.engine.nonfinite import Origin
from surefoot.engine.result import LaneResult
from surefoot.engine.training import Training
from surefoot.errors import TrainingError
from surefoot.files import write_json
from surefoot.interrupts import Interrupts
from surefoot.job import Job, prepare
from surefoot.keeper import Keeper, new_folder
from surefoot.lock import writing
from surefoot.pretrain.start import announced
from surefoot.resuming import restore
from surefoot.run import FORMAT, Run
from surefoot.vitals.table import write as write_table


def train(
    source: Any,
    y: Any = None,
    *,
    validation_data: tuple[Any, Any] | None = None,
    sample_weight: Any = None,
    net: Any = None,
    optimizer: Any = None,
    out: str | Path | None = None,
    **keys: Any,
) -> Run:
    """Train a network and return the run that it left behind.

    Args:
        source: the name of a built-in set ("digits"), a file, a recipe (`Recipe`, or the path of
            a TOML file), or inputs: with ``y`` beside them, or as ``(x, y)``.
        y: targets: labels, or numbers, [rows] or [rows, outputs].
        validation_data: ``(x, y)`` to validate on, in place of a share of the rows.
        sample_weight: how much each row counts in the loss, [rows].
        net: "mlp:128,64", "convnet", "resnet:20", one of `surefoot.nets`, or a list of layers;
            chosen from the data where nothing is given.
        optimizer: an update rule's name, a table with its numbers, or any Optax transformation.
        out: the run's folder; ``runs/SOURCE-N`` where nothing is given.
        **keys: any key of a recipe by its short name (``learning_rate=1e-3``, ``epochs=20``), or
            by its whole one with "__" for each dot (``train__epochs=20``).

    Returns:
        The run: ``run.metrics``, ``run.history``, ``run.vitals``, ``run.predict(x)``.

    Raises:
        RecipeError: a key is wrong, or the net does not fit the data.
        DataError: the data cannot be used.
        RunError: the folder exists, or cannot be written.

    >>> import surefoot as sf, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = sf.train("iris", net=sf.nets.mlp(8), learning_rate=0.05, out=f"{folder}/run")
    >>> run.metrics["validation"]["accuracy"] > 0.8
    True
    """
    named = {key.replace("__", "."): value for key, value in keys.items()}
    job = prepare(
        source,
        y,
        validation_data=validation_data,
        sample_weight=sample_weight,
        net=net,
        optimizer=optimizer,
        keys=named,
    )
    with new_folder(out, job.dataset.source) as path:
        return execute(job, path)


def execute(
    job: Job,
    path: Path,
    progress: Callable[[Block], None] = lambda block: None,
    say: Callable[[Finding], None] | None = None,
    tell: Callable[[str], None] = lambda line: None,
    *,
    resumed: bool = False,
) -> Run:
    """Train a job that was made ready, and write its folder.

    Args:
        job: from `surefoot.job.prepare`.
        path: the run's folder, from `surefoot.keeper.new_folder`.
        progress: called after each dispatch.
        say: called with each finding, a warning or worse, when it is found first.
        tell: called with a line about what went wrong and does not end training.
        resumed: whether to go on from the newest checkpoint in the folder.

    Raises:
        RunError: another process writes into the folder, or it cannot be written.
    """
    # Before signals are caught: what teaches the first weights may be ended at any time.
    start = announced(job.cohort, tell)
    looked = _Findings(path)
    watcher = Watcher(job.cohort, job.recipe, lambda: job.facts, say, looked=looked.write)

    def listen(block: Block) -> None:
        watcher.block(block)
        progress(block)

    about = {"steps": job.cohort.total_steps, "measure": job.cohort.measure}
    # Signals are caught also while results are written: an interrupted run is kept for them.
    with writing(path), running(path, about), Interrupts() as interrupts:

        def keep(before: Point | None) -> Keeper:
            facts = job.cohort, job.recipe, lambda: job.facts
            return Keeper(path, *facts, listen, tell, before, interrupts)

        keeper = None if resumed else keep(None)
        training = led(job.cohort)
        if keeper is None:
            before = restore(path, job, training, tell)
            if before is None:
                check(path, "recipe.toml")  # which no checkpoint speaks for
                tell(f"{path}: there is no checkpoint to go on from; training begins anew")
            else:
                watcher.recall(before.tables["metrics"], before.tables["vitals"])
            keeper = keep(None if before is None else before.point)
        if start.table is not None:
            write_table(path, "pretraining", start.table)
        origin = _train(training, keeper, watcher)
        (result,) = training.results()
        if result.ended == "interrupted":
            keeper.save(training.snapshot)
        dismiss(training)
        lacking = _save_model(job, result, path)
        diagnosis = watcher.diagnosis(finished=result.ended != "interrupted")
        looked.write(diagnosis)
        told = {
            **_summary(job, result, path, keeper.seconds, diagnosis),
            "no_model": lacking,
            "nonfinite": None if origin is None else origin._asdict(),
            "rollbacks": keeper.rollbacks,
            "changes": keeper.changes,
            # A signal that comes while the results of a whole run are written ends nothing.
            "interrupted_by": keeper.interrupted_by if result.ended == "interrupted" else None,
        }
        keeper.close(told)
    run = Run(path)
    run.dataset = job.dataset
    return run


def follow(job: Job) -> None:
    """Train a job with the process that writes, in any of the others."""
    with Interrupts() as interrupts:
        training = Following(job.cohort)
        training.listen(_Signalled(interrupts))
        training.follow()


class _Signalled(Silent):
    """Asks for an end when a signal came."""

    def __init__(self, interrupts: Interrupts) -> None:
        self._interrupts = interrupts

    def stop(self) -> bool:
        return self._interrupts.signal is not None


def _train(training: Training, keeper: Keeper, watcher: Watcher) -> Origin | None:
    """Train to the end; return where values stopped being finite, if they did."""
    training.listen(keeper)
    keeper.begin(training.snapshot)
    training.advance()
    origin = None
    while training.diverged.any():
        origin = training.origin()
        point = keeper.turn_back(origin)
        if point is None:
            break
        training.restore(point)
        watcher.cut(point.step)
        training.advance()
    return origin


class _Findings:
    """Keeps `findings.json` as the doctor sees the run by now."""

    def __init__(self, path: Path) -> None:
        self._path = path / "findings.json"
        self._told: dict[str, Any] = {}

    def write(self, diagnosis: Diagnosis) -> None:
        told = {"format": FORMAT, **diagnosis.to_dict()}
        if told != self._told:
            write_json(self._path, told)
            self._told = told


def _save_model(job: Job, result: LaneResult, path: Path) -> str | None:
    """Save the model; return why there is none, where its weights are not finite."""
    try:
        _model(job, result).save(path)
    except TrainingError as error:
        for name in ("model.json", "model.safetensors"):  # of an earlier interruption
            (path / name).unlink(missing_ok=True)
        return str(error)
    return None


def _model(job: Job, result: LaneResult) -> Model:
    return Model(
        recipe=job.recipe,
        params=result.params,
        state=result.state,
        scaling=result.scaling,
        target=job.dataset.target,
        preprocessing=job.dataset.preprocessing,
        feature_shape=job.dataset.feature_shape,
        encoding=job.dataset.encoding,
    )


def _summary(
    job: Job, result: LaneResult, path: Path, seconds: float, diagnosis: Diagnosis
) -> dict[str, Any]:
    measure = job.cohort.measure

    def told(*parts: tuple[float, float] | None) -> dict[str, Any]:
        return {
            part: {"loss": values[0], measure: values[1]}
            for part, values in zip(("train", "validation"), parts, strict=True)
            if values is not None
        }

    last = result.unaveraged
    return {
        "format": FORMAT,
        "run": str(path),
        "metrics": told(result.train, result.validation),
        # Of the last weights, where the run leaves a mean of weights behind.
        **({} if last is None else {"unaveraged_metrics": told(*last)}),
        "epochs": result.epochs,
        "steps": result.steps,
        "seconds": round(seconds, 3),
        "compile_seconds": round(job.cohort.compile_seconds, 3),
        "ended": result.ended,
        "diverged_at": result.diverged,
        "best_epoch": result.best_epoch,
        "verdict": diagnosis.verdict,
        "root_cause": diagnosis.root_cause,
        "findings": [finding.to_dict() for finding in diagnosis.findings],
    }
