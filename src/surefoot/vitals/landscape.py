"""The columns of the landscape table: the error surface at points of a run.

One row a measured point: `run`, `which` ("best", "last" or "step"), `step` (updates made before
it), and these numbers. Absent values are NaN. All are of the mean training loss over a fixed
sample of rows, as `surefoot.landscape.hessian` defines it; g is its gradient, H its Hessian.
"""

from __future__ import annotations

LANDSCAPE_COLUMNS = (
    "rows",  # in the sample
    "training_rows",  # of the run
    "parameters",
    "products",  # Hessian-vector products that were taken
    "loss",
    "baseline_loss",  # of the best constant prediction, on the same rows
    "weight_norm",  # ‖θ‖
    "weight_scale",  # the larger of ‖θ‖ and √units, the norm of a usual initialization
    "unit_scale",  # √units
    "gradient_norm",  # ‖g‖
    "gradient_noise",  # standard error of g for the choice of the sample; 0 where it has all rows
    "gradient_to_weights",  # ‖g‖/‖θ‖
    "gradient_to_start",  # ‖g‖ over the norm that the run's first step recorded
    "zero_gradient_share",  # share of the parameters whose gradient is exactly 0
    "hessian_gradient_ratio",  # ‖Hg‖/‖g‖
    "gradient_curvature",  # κ = gᵀHg/‖g‖²
    "rate",  # η: of the run's step, as a multiple of the gradient
    "curvature_to_limit",  # κη/2: above 1 a step along −g ends higher than it began
    "largest_eigenvalue",
    "largest_residual",  # ‖Hv − λv‖: no eigenvalue is farther than this from λ
    "smallest_eigenvalue",
    "smallest_residual",
    "negative_share",  # share of eigenvalues below −0.001 of the largest absolute one, estimated
    "flat_share",  # share of eigenvalues within 0.001 of it, estimated
    "newton_loss",  # lowest loss on the way along one Newton step with |H|
    "step_loss",  # loss after one step of −ηg
    "step_curvature_to_limit",  # mean curvature on the way of that step, (1 − gᵀg′/‖g‖²)/η, by 2/η
    "step_cosine",  # cosine between the gradients before and after it; −1: reversed
    "dead_share",  # silent units of the hidden activation that has most of them
    "saturated_share",  # saturated outputs of the hidden activation that has most of them
    "output_saturated_share",  # of a softmax or sigmoid at the output
    "descent_steps",  # how many steps each descent took at most
    "descent_loss",  # after so many steps of plain descent
    "escape_step",  # distance of the best step along ± the eigenvector of the smallest eigenvalue
    "escape_loss",  # after it
    "escape_descent_loss",  # and after so many steps of plain descent from there
    "perturbed_loss",  # lowest after random steps along flat directions, and descent from there
)
