"""Update rules, schedules and clipping: everything by name, every number traced."""

from surefoot.optim import plateau
from surefoot.optim.adagrad import scale_by_root_of_sum
from surefoot.optim.clipping import clip, global_norm
from surefoot.optim.optax_rule import from_optax
from surefoot.optim.quickprop import quickprop
from surefoot.optim.rules import RULES, build
from surefoot.optim.schedules import SCHEDULES, learning_rate
from surefoot.optim.weight_decay import decay_weights, is_decayed

__all__ = [
    "RULES",
    "SCHEDULES",
    "build",
    "clip",
    "decay_weights",
    "from_optax",
    "global_norm",
    "is_decayed",
    "learning_rate",
    "plateau",
    "quickprop",
    "scale_by_root_of_sum",
]
