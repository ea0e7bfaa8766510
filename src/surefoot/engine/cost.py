"""How long training may take: a rule of layers and numbers, the same on each machine."""

from __future__ import annotations

from math import prod

from surefoot.engine.cohort import Cohort

# Of one core of a CPU: a lane's step beside its arithmetic, where several lanes share a program;
# the products; and for each output of a layer what is done with it, forward and backward.
_STEP_SECONDS, _OPERATIONS_A_SECOND, _OUTPUT_SECONDS = 15e-6, 4e10, 3e-9


def estimated_seconds(cohort: Cohort) -> float:
    """Return about how long a lane trains: three products a layer and step, and its outputs.

    >>> from surefoot.job import prepare
    >>> def wide(size): return prepare({"data": {"source": "iris"}, "net": {"layers": [
    ...     {"dense": size}, {"dense": "classes"}, {"activation": "softmax"}]}}).cohort
    >>> estimated_seconds(wide(8)) < 0.1 * estimated_seconds(wide(8000))
    True
    """
    sites = cohort.blueprint.network.sites
    products = sum(prod(site.shape[:-1]) * site.weights for site in sites)
    outputs = sum(prod(site.shape) for site in sites)
    row = 6 * products / _OPERATIONS_A_SECOND + _OUTPUT_SECONDS * outputs
    step = _STEP_SECONDS + row * cohort.batch
    x_val = cohort.dataset.x_val
    held_out = 0 if x_val is None else len(x_val)
    epochs = cohort.recipes[0].train.epochs
    evaluation = 2 * products * held_out * epochs / _OPERATIONS_A_SECOND
    return cohort.total_steps * step + evaluation
