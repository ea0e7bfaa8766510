"""From a source of data to arrays that are ready for training."""

from surefoot.data.builtin import describe
from surefoot.data.dataset import Dataset, gather, load, prepare
from surefoot.data.encoding import Encoding
from surefoot.data.preprocessing import Preprocessing
from surefoot.data.target import Target

__all__ = [
    "Dataset",
    "Encoding",
    "Preprocessing",
    "Target",
    "describe",
    "gather",
    "load",
    "prepare",
]
