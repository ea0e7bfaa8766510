"""The columns of the surface table: the loss on slices, planes, and along the path on them.

Each row is a place: `run`, `which` ("best", "last" or "step") and `at` (updates made before the
weights in the middle), `kind` ("slice", "surface" or "path"), `plane` ("random" or "path"),
`step`, and these numbers. `step` is the snapshot's on a path, elsewhere `at` again. Absent values
are NaN; losses that overflowed are infinite or NaN.
"""

from __future__ import annotations

SURFACE_TEXTS = ("run", "which", "kind", "plane")
SURFACE_COUNTS = ("at", "step")
SURFACE_COLUMNS = (
    "a",  # along the first direction: filter-normalized lengths, distances, or shares of the way
    "b",  # along the second one; NaN on a slice
    "loss",  # mean loss on the sample of training rows, with the penalty of a weight decay
    "validation_loss",  # mean loss on the sample of validation rows
    "off_plane",  # of a path: the distance of its weights from the plane
    "explained_a",  # the share of the path's variance along the first direction
    "explained_b",  # along the second one
    "rows",  # in the sample of training rows
    "validation_rows",  # in that of validation rows
    "seed",  # of the samples and of random directions
)
