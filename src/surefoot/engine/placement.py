"""What is put on the device once: the rows, and the lanes' numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from surefoot.data.arrays import aligned
from surefoot.engine.blueprint import step_numbers
from surefoot.engine.cohort import Cohort
from surefoot.engine.inputs import InputScaling
from surefoot.engine.mesh import SINGLE, Layout
from surefoot.engine.objective import Scaling
from surefoot.engine.programs import Rows
from surefoot.engine.step import LaneInput
from surefoot.engine.weights import row_weights


def place_rows(cohort: Cohort, layout: Layout = SINGLE) -> tuple[Rows, Rows]:
    """Return all rows on every device: as training weighs them, and as evaluation does.

    Class weights are for training alone. Where there are none both are the same arrays. Of a
    stream's training rows it is the sample.
    """
    dataset, train = cohort.dataset, cohort.recipes[0].train
    weights = row_weights(train, dataset.target, dataset.y_train, dataset.w_train)
    parts = [(dataset.x_train, dataset.y_train), (dataset.x_val, dataset.y_val)]
    there = parts if dataset.x_val is not None else parts[:1]
    x, y = (_joined([part[i] for part in there]) for i in (0, 1))
    rows = layout.everywhere(Rows(x, y, _row_weights(cohort, weights)))
    if weights is dataset.w_train:
        return rows, rows
    own = layout.everywhere(_row_weights(cohort, dataset.w_train))
    return rows, rows._replace(weights=own)


def _joined(arrays: Sequence[Any]) -> Any:
    """Return arrays as one; those that lie side by side in memory uncopied."""
    if len(arrays) == 1:
        return arrays[0]
    first, second = arrays
    shape = (len(first) + len(second), *first.shape[1:])
    memory = _memory(first)
    if memory is not None and memory is _memory(second) and first.dtype == second.dtype:
        start = first.ctypes.data - memory.ctypes.data
        if start + first.nbytes == second.ctypes.data - memory.ctypes.data:
            return np.ndarray(shape, first.dtype, memory, start)
    return np.concatenate(arrays, out=aligned(shape, np.result_type(first, second)))


def _memory(array: Any) -> NDArray[Any] | None:
    """Return the array that holds another in one piece; None where there is none."""
    if not isinstance(array, np.ndarray) or not array.flags.c_contiguous:
        return None
    base = array.base
    return base if isinstance(base, np.ndarray) and base.flags.c_contiguous else None


def _row_weights(cohort: Cohort, training: NDArray[Any] | None) -> NDArray[Any] | None:
    """Return the weights of all rows, or None where each is 1."""
    dataset = cohort.dataset
    if training is None and dataset.w_val is None:
        return None
    parts = [(dataset.x_train, training)]
    if dataset.x_val is not None:
        parts.append((dataset.x_val, dataset.w_val))
    each = [np.ones(len(x)) if weights is None else weights for x, weights in parts]
    return np.concatenate(each).astype(cohort.precision)


def place_lanes(cohort: Cohort, epochs_before: int) -> LaneInput:
    """Return what each lane is given, stacked, on the device."""
    lanes = cohort.lanes
    total_steps = epochs_before * cohort.steps_per_epoch + cohort.total_steps
    given = LaneInput(
        numbers=stack([step_numbers(recipe) for recipe in cohort.recipes], cohort.precision),
        scaling=_target_scaling(cohort),
        inputs=input_scaling(cohort),
        seed=np.array([recipe.seed for recipe in cohort.recipes], np.uint32),
        total_steps=np.full(lanes, total_steps, np.int32),
        rate_scale=np.ones(lanes, cohort.precision),
        factors=cohort.factors,
    )
    return jax.device_put(given)


def stack(trees: Sequence[Any], dtype: Any) -> Any:
    """Stack trees of numbers along a new first axis, the lanes'; too large ones become ∞."""
    with np.errstate(over="ignore"):
        return jax.tree.map(lambda *values: np.asarray(values, dtype), *trees)


def _target_scaling(cohort: Cohort) -> Scaling:
    """Return mean and standard deviation of the targets, where a lane standardizes them."""
    dataset = cohort.dataset
    if dataset.target.kind != "numbers":
        empty = np.zeros((cohort.lanes, 0), cohort.precision)
        return Scaling(empty, empty)
    y = np.asarray(dataset.y_train, np.float64)
    mean = np.average(y, axis=0, weights=dataset.w_train)
    scale = np.sqrt(np.average(np.square(y - mean), axis=0, weights=dataset.w_train))
    scale[scale == 0] = 1
    on = np.array([[recipe.data.standardize_targets] for recipe in cohort.recipes])
    return Scaling(
        np.where(on, mean, 0).astype(cohort.precision),
        np.where(on, scale, 1).astype(cohort.precision),
    )


def input_scaling(cohort: Cohort) -> InputScaling:
    """Return mean and scale of each channel, where that is left to the step."""
    dataset = cohort.dataset
    if not dataset.scaled_in_step:
        empty = np.zeros((cohort.lanes, 0), cohort.precision)
        return InputScaling(empty, empty)
    fitted, channels = dataset.preprocessing, dataset.x_train.shape[-1]
    mean = np.zeros(channels) if fitted.mean is None else fitted.mean
    scale = np.ones(channels) if fitted.scale is None else fitted.scale
    tiled = (np.tile(array, (cohort.lanes, 1)).astype(cohort.precision) for array in (mean, scale))
    return InputScaling(*tiled)
