"""What to train, as data: recipes in and out of TOML, with every key typed and bounded."""

from surefoot.recipe.data import Data
from surefoot.recipe.initializers import InitializerSpec
from surefoot.recipe.layers import LAYER_KINDS, Net, kind_of
from surefoot.recipe.optimizer import RULES
from surefoot.recipe.root import Recipe
from surefoot.recipe.schedule import SCHEDULES
from surefoot.recipe.section import Section, numbers, structure
from surefoot.recipe.toml import dumps, load, save
from surefoot.recipe.train import EarlyStopping, Train, Vitals

__all__ = [
    "LAYER_KINDS",
    "RULES",
    "SCHEDULES",
    "Data",
    "EarlyStopping",
    "InitializerSpec",
    "Net",
    "Recipe",
    "Section",
    "Train",
    "Vitals",
    "dumps",
    "kind_of",
    "load",
    "numbers",
    "save",
    "structure",
]
