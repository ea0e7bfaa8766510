"""The columns of the tables: what the doctor reads."""

from __future__ import annotations

# One row per run and step. `loss` and `accuracy` (or `rmse`) are of the step's own batch, before
# its update; the validation columns are filled at the last step of an epoch. Absent values are
# NaN. Numbers in the targets' own units: rmse.
METRIC_COLUMNS = (
    "loss",
    "accuracy",
    "rmse",
    "learning_rate",
    "gradient_norm",
    "clipped_gradient_norm",
    "validation_loss",
    "validation_accuracy",
    "validation_rmse",
)

# One row per run, recorded step and layer. Signals and gradients are of the mean loss; the
# backward signal is times the batch size, so that it is of one example's loss.
VITAL_COLUMNS = (
    "activation_mean",
    "activation_std",
    "zero_share",
    "inactive_share",
    "saturated_share",
    "activation_max",
    "signal_rms",
    "signal_max",
    "gradient_rms",
    "gradient_max",
    "weight_rms",
    "update_rms",
    "update_ratio",
    "unit_spread",
    "nonfinite",
)
