"""Faults of training: rates, batches, epochs, clipping, regularization."""

from __future__ import annotations

from benchmarks.faults.datasets import arrays
from benchmarks.faults.draft import Draft
from benchmarks.faults.family import Family, Strength, ids


def _rate(draft: Draft, strength: Strength) -> None:
    draft.optimizer["learning_rate"] *= float(strength)


def _momentum(draft: Draft, strength: Strength) -> None:
    draft.optimizer["momentum"] = float(strength)


def _has_momentum(draft: Draft) -> bool:
    return draft.optimizer["name"] == "momentum"


def _adds_gradients(draft: Draft) -> bool:
    """Whether the rule's step grows with the gradient: Adam and RMSProp divide its size out."""
    return draft.optimizer["name"] in ("sgd", "momentum")


_MOST_STEPS = 2500


def _batch(draft: Draft, strength: Strength) -> None:
    size = int(strength)
    steps_an_epoch = len(arrays(draft.spec.name).x) // size
    draft.train["batch_size"] = size
    draft.train["epochs"] = min(draft.train["epochs"], max(3, _MOST_STEPS // steps_an_epoch))


def _fast_batch(draft: Draft, strength: Strength) -> None:
    _batch(draft, strength)
    draft.optimizer["learning_rate"] *= 3


def _single_rows_work(draft: Draft) -> bool:
    return not draft.batch_norm and not draft.spec.pictures


def _epochs(draft: Draft, strength: Strength) -> None:
    draft.train["epochs"] = int(strength)


def _few_updates(draft: Draft, strength: Strength) -> None:
    draft.train["batch_size"] = "full"
    draft.train["epochs"] = int(strength)


def _clip(draft: Draft, strength: Strength) -> None:
    draft.train["clip_norm"] = float(strength)


def _decay(draft: Draft, strength: Strength) -> None:
    draft.optimizer["weight_decay"] = float(strength)


def _falling(draft: Draft, strength: Strength) -> None:
    draft.tables["schedule"] = {"name": "exponential", "factor": float(strength)}


def _dropout(draft: Draft, strength: Strength) -> None:
    draft.body = [layer for layer in draft.body if "dropout" not in layer]
    draft.insert_after_activations({"dropout": float(strength)})


def _plain(draft: Draft) -> bool:
    return not draft.batch_norm


def _memorize(draft: Draft) -> None:
    """Make the net wide and train it long."""
    for layer in draft.weighted():
        for kind, width in (("dense", 256), ("conv", 32)):
            if kind in layer:
                layer[kind] = width


def _few_rows(draft: Draft, strength: Strength) -> None:
    rows = int(strength) * max(1, draft.spec.classes or 4)
    whole = len(arrays(draft.spec.name).x)
    draft.edit_data(f"few-rows={rows}")
    batch = draft.train["batch_size"]
    if isinstance(batch, int) and batch > rows // 2:
        draft.train["batch_size"] = max(2, rows // 2)
    steps = draft.train["epochs"] * whole // (batch if isinstance(batch, int) else whole)
    draft.train["epochs"] = min(200, max(30, steps // -(-rows // draft.train["batch_size"])))


def _noisy_and_wide(draft: Draft, strength: Strength) -> None:
    _memorize(draft)
    draft.train["epochs"] *= 2
    draft.edit_data(f"labels-shuffled={strength:g}")


FAMILIES = (
    Family(
        "rate-high",
        (3.0, 10.0, 30.0, 100.0, 1e3, 1e4),
        ids("learning-rate-too-high", "ravine"),
        "a smaller rate undoes it; a ravine is where the rate is too high in one direction",
        ids("rate"),
        _rate,
        shares=3,
    ),
    Family(
        "rate-low",
        (0.1, 0.03, 1e-2, 1e-3, 1e-4),
        ids("learning-rate-too-low"),
        "a larger rate undoes it; where it is not far too low, more epochs do, too",
        ids("rate"),
        _rate,
        also={0.1: ids("too-few-epochs"), 0.03: ids("too-few-epochs")},
    ),
    Family(
        "momentum-high",
        (0.97, 0.99, 0.999),
        ids("learning-rate-too-high", "ravine"),
        "momentum multiplies the rate by 1/(1 − β); a smaller rate or momentum undoes it",
        ids("rate"),
        _momentum,
        _has_momentum,
        shares=1,
    ),
    Family(
        "batch-small",
        (4, 2, 1),
        ids("batch-too-small", "learning-rate-too-high"),
        "noise is rate over batch size: either a larger batch or a smaller rate undoes it",
        ids("batch", "epochs"),
        _batch,
        _single_rows_work,
    ),
    Family(
        "batch-small-and-fast",
        (2, 1),
        ids("batch-too-small", "learning-rate-too-high"),
        "noise is rate over batch size: either a larger batch or a smaller rate undoes it",
        ids("batch", "epochs", "rate"),
        _fast_batch,
        _single_rows_work,
    ),
    Family(
        "epochs-few",
        (1, 2, 4),
        ids("too-few-epochs"),
        "the loss was still falling; more epochs undo it",
        ids("epochs"),
        _epochs,
    ),
    Family(
        "updates-few",
        (5, 15, 40),
        ids("too-few-epochs"),
        "a batch of all rows is one update an epoch; more epochs undo it",
        ids("batch", "epochs"),
        _few_updates,
        shares=1,
    ),
    Family(
        "clip-tiny",
        (0.1, 1e-2, 1e-3, 1e-4),
        ids("learning-rate-too-low", "underfitting"),
        "every step is as short as with a tiny rate; a larger norm, or rate, undoes it",
        ids("clip"),
        _clip,
        _adds_gradients,
        shares=1,
    ),
    Family(
        "decay-strong",
        (0.01, 0.1, 0.5, 2.0),
        ids("underfitting"),
        "weights cannot grow to what the function needs; less regularization undoes it",
        ids("decay"),
        _decay,
        _plain,
        shares=1,
    ),
    Family(
        "rate-dies",
        (1e-4, 1e-15, 1e-30),
        ids("learning-rate-too-low", "too-few-epochs"),
        "the schedule takes the rate away before training is done; a slower fall undoes it",
        ids("schedule"),
        _falling,
        shares=1,
    ),
    Family(
        "dropout-heavy",
        (0.5, 0.8, 0.9, 0.97),
        ids("underfitting"),
        "too little of each layer is left to express the function; less dropout undoes it",
        ids("dropout"),
        _dropout,
    ),
    Family(
        "rows-few",
        (40, 12, 4),
        ids("overfitting"),
        "a net that can learn its few rows by heart need not learn the rest; more rows undo it",
        ids("rows", "batch", "epochs"),
        _few_rows,
    ),
    Family(
        "labels-noisy-and-net-wide",
        (0.3, 0.5),
        ids("overfitting", "data-problem"),
        "a wide net, trained long, learns wrong labels by heart; right labels undo it",
        ids("labels", "body", "epochs"),
        _noisy_and_wide,
    ),
)
