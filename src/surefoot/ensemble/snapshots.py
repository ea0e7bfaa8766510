"""The snapshots of one run as an ensemble: each is validated first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data import Dataset
from surefoot.engine.checkpoint import read
from surefoot.ensemble.measuring import Score, parts_of, predicted, score
from surefoot.ensemble.members import Member
from surefoot.errors import RunError
from surefoot.job import dataset_of
from surefoot.run import Run
from surefoot.saving import SNAPSHOTS, recipe_hash

# A snapshot is clearly worse than the best where its loss is larger by more than twice the standard
# error of the paired difference, and by more than this share of the best one's: on many rows a
# difference is sure that does a mean of several no harm.
_ERRORS, _SHARE = 2.0, 0.25


def snapshot_members(
    run: Run, tell: Callable[[str], None] = lambda line: None
) -> tuple[list[Member], list[dict[str, Any]]]:
    """Return the snapshots of a run that are good enough, and what is known of those left out.

    Each is measured on the run's validation rows. A file that is damaged is refused.

    Args:
        run: a finished run whose recipe asked for `checkpoints.snapshots`.
        tell: called with a line about each that is left out.

    Raises:
        RunError: there are fewer than two snapshots, one is damaged, or there are no validation
            rows to validate them on.
        DataError: the run's data are not there any more.
    """
    folders = sorted((run.path / SNAPSHOTS).glob("step-" + "[0-9]" * 12))
    if len(folders) < 2:
        raise RunError(
            f"{run.path}: keeps {len(folders) or 'no'} snapshot{'s' * (len(folders) != 1)} of its "
            "training; train with --set checkpoints.snapshots=5, best with --schedule cyclic_cosine"
        )
    last = run.model
    known = recipe_hash(run.recipe)
    dataset = run.dataset
    if dataset is None:
        if run.recipe.data.source is None:
            raise RunError(
                f"{run.path}: was trained on arrays from Python, which a run does not keep: its "
                "snapshots cannot be validated; give the run that sf.train returned"
            )
        dataset = dataset_of(run.recipe)
    if "validation" not in parts_of(dataset):
        raise RunError(
            f"{run.path}: has no validation rows, and each snapshot is validated first; train with "
            "data.validation above 0"
        )
    members = []
    for folder in folders:
        kept = read(folder)
        if kept.point.recipe != known:
            raise RunError(f"{folder}: is not of this run's recipe; train anew")
        template = {"weights": {"params": last.params, "state": last.state}}
        weights = kept.restore(template)["weights"]
        model = replace(last, params=weights["params"], state=weights["state"])
        values = {
            "member": f"step {kept.point.step}",
            "seed": run.recipe.seed,
            "steps": kept.point.step,
        }
        members.append(Member(f"step {kept.point.step}", model, dataset, values))
    return choose(members, dataset, tell)


def choose(
    members: Sequence[Member], dataset: Dataset, tell: Callable[[str], None]
) -> tuple[list[Member], list[dict[str, Any]]]:
    """Return the members that are not clearly worse than the best, and what the others measured."""
    rows = parts_of(dataset)["validation"]
    scores = [score(predicted(own.model, dataset, rows.x), rows, own.model) for own in members]
    best = scores[int(np.argmin([each.mean_loss for each in scores]))]
    kept, left_out = [], []
    for member, each in zip(members, scores, strict=True):
        if not worse(each, best):
            kept.append(member)
            continue
        left_out.append(
            {"member": member.name, "loss": each.mean_loss, "best_loss": best.mean_loss}
        )
        tell(
            f"{member.name} is left out: validation loss {each.mean_loss:.4g} is clearly worse "
            f"than the best's {best.mean_loss:.4g}"
        )
    return kept, left_out


def worse(own: Score, best: Score) -> bool:
    """Return whether a snapshot is clearly worse than the best.

    >>> rows = np.ones(4)
    >>> best = Score(np.array([0.1, 0.2, 0.1, 0.2]), 1.0, rows)
    >>> worse(Score(best.loss + 0.1, 1.0, rows), best), worse(best, best)
    (True, False)
    """
    paired: NDArray[Any] = own.loss - best.loss
    mean = float(np.average(paired, weights=own.weights))
    spread = float(np.sqrt(np.average(np.square(paired - mean), weights=own.weights)))
    error = spread / np.sqrt(max(len(paired) - 1, 1))
    return bool(mean > max(_ERRORS * error, _SHARE * best.mean_loss))
