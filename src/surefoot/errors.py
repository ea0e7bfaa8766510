"""The errors that reach a user, as one tree.

```
SurefootError                 anything that Surefoot refuses or that failed: one line
├── InputError                bad input: exit code 2
│   ├── RecipeError           a recipe cannot be read, or asks for the impossible
│   ├── DataError             the data cannot be used
│   └── RunError              a run folder or a model file cannot be used
└── TrainingError             the work itself failed: exit code 1
```

Each message is one line that names what is wrong, where, and what to do about it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SurefootError(Exception):
    """Base of every error with a message meant for the user."""

    exit_code = 1


class InputError(SurefootError, ValueError):
    """What was given cannot be used. A `ValueError`, as scikit-learn's conventions ask."""

    exit_code = 2


class RecipeError(InputError):
    """A recipe holds an unknown key, a wrong type, or an impossible combination."""


class DataError(InputError):
    """The data are missing, broken, or do not fit the recipe."""


class RunError(InputError):
    """A run folder or one of its files is missing, broken, or cannot be written."""


class TrainingError(SurefootError):
    """Training ended without anything that could be kept."""


def nearest(name: str, names: Iterable[str]) -> str:
    """Return ``"; did you mean 'adam'?"``, or nothing when no name is near.

    >>> nearest("adma", ["sgd", "adam"])
    "; did you mean 'adam'?"
    >>> nearest("AGE", ["name", "age"])
    "; did you mean 'age'?"
    >>> nearest("zzz", ["sgd", "adam"])
    ''
    """
    known = {known.casefold(): known for known in names}
    close = difflib.get_close_matches(str(name).casefold(), known, n=1, cutoff=0.5)
    return f"; did you mean {known[close[0]]!r}?" if close else ""
