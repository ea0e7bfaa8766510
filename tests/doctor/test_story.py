"""Every finding has a story, which tells the rule as the detector has it."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import tomllib

import pytest

from surefoot.doctor.detector import ramp
from surefoot.doctor.finding import IDS
from surefoot.doctor.registry import DETECTORS
from surefoot.doctor.story import story, summaries
from surefoot.errors import InputError
from surefoot.recipe import Recipe
from surefoot.recipe.overrides import set_key

PARTS = (
    "How it shows",
    "Why it happens",
    "How Surefoot recognizes it",
    "How sure that is",
    "What to change",
    "Sources",
)
# Words without which a story would not tell its rule.
WORDS = {
    "diverged": ("not finite", "100 times", "chance loss"),
    "exploding-gradients": ("∂L/∂z", "first step", "at the last one"),
    "vanishing-gradients": ("∂L/∂z", "first step", "at the last one"),
    "dead-units": ("whole batch", "last 8 records", "in health"),
    "saturated-units": ("slope", "5 %", "output layer is not counted"),
    "symmetric-units": ("Σᵢ(Σⱼ wᵢⱼ)²/(n Σ w²)", "10⁻³", "0.05"),
    "initialization-scale": ("root mean square", "dropout", "batch normalization"),
    "learning-rate-too-high": ("‖update‖/‖weights‖", "first 4 records", "0.02", "2/rate"),
    "learning-rate-too-low": ("‖update‖/‖weights‖", "q·T", "clipping"),
    "unscaled-inputs": ("root mean square", "mean of a feature", "batch normalization"),
    "unscaled-targets": ("mean² + variance", "standard deviation"),
    "wrong-output": ("softmax over one unit", "from_logits", "standard deviations"),
    "wrong-loss": ("Absolute error", "squared error", "numbers: 1"),
    "saddle-point": ("eigenvalue", "Newton step", "1 %", "−0.001"),
    "local-minimum": ("eigenvalue", "Newton step", "0.001", "fitted"),
    "flat-region": ("99 %", "90 %", "eigenvalue"),
    "ravine": ("Newton step", "κη/2", "0.75", "cosine", "−0.5", "1.2"),
    "batch-too-small": ("‖update‖/‖weights‖", "at most 6 rows", "8/b"),
    "too-few-epochs": ("updates", "last but one tenth", "0.5 %"),
    "overfitting": ("gap", "lowest", "training rows"),
    "underfitting": ("dropout", "weight decay", "narrowest"),
    "depth-degradation": ("residual", "layers with weights", "Below 7"),
    "class-imbalance": ("largest class", "smallest", "validation rows"),
    "data-problem": ("Nearest neighbours", "guessing", "held out", "middle 90 %"),
}
# A recipe with something to change for every story.
TABLES = {
    "data": {"standardize": False},
    "net": {
        "layers": [{"dense": 8}, {"activation": "tanh"}, {"dense": "classes"}],
        "initializer": "zeros",
    },
    "optimizer": {"name": "sgd", "learning_rate": 0.5},
    "train": {"loss": "mean_squared_error", "batch_size": 1},
}


@pytest.mark.parametrize("id", IDS)
def test_a_story_is_whole_and_short(id):
    text = story(id)
    assert text.startswith(f"# {id}: ")
    places = [text.index(f"**{part}.**") for part in PARTS]
    assert places == sorted(places)
    told = text.partition("\n`a → b`")[0]
    assert 15 <= len(told.splitlines()) <= 35
    assert set(WORDS) == set(IDS)
    told = " ".join(told.split())
    for word in WORDS[id]:
        assert word in told, word


@pytest.mark.parametrize("id", IDS)
def test_what_a_story_says_to_change_can_be_pasted(id):
    blocks = re.findall(r"^```toml\n(.*?)^```$", story(id), re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        tables = Recipe.parse(TABLES).to_dict()
        for section, keys in tomllib.loads(block).items():
            if isinstance(keys, dict):
                for key, value in keys.items():
                    set_key(tables, f"{section}.{key}", value)
            else:
                set_key(tables, section, keys)
        assert Recipe.parse(tables) != Recipe.parse(TABLES)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.id)
def test_the_thresholds_are_the_detectors(detector):
    told = {
        (float(low), float(high))
        for low, high in re.findall(r"`([\d.e-]+) → ([\d.e-]+)`", story(detector.id))
    }
    assert told == _ramps(detector.look)


def _ramps(function):
    """Return from where to where each ramp in a function goes, and in what it calls."""
    module = sys.modules[function.__module__]
    names = {name: value for name, value in vars(module).items() if inspect.isfunction(value)}
    found, seen, waiting = set(), set(), [function]
    while waiting:
        tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(waiting.pop())))
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            name = node.func.id
            if name == "ramp":
                ends = [eval(ast.unparse(end), vars(module)) for end in node.args[1:]]
                found.add(tuple(map(float, ends)))
            elif name in names and names[name].__module__ == module.__name__ and name not in seen:
                seen.add(name)
                waiting.append(names[name])
    return found


def test_the_thresholds_are_found_where_they_are():
    assert ramp in vars(sys.modules["surefoot.doctor.detectors.gradients"]).values()
    assert _ramps(next(d.look for d in DETECTORS if d.id == "wrong-output")) == {(0.5, 2.5)}


def test_all_have_a_line():
    lines = summaries()
    assert list(lines) == list(IDS)
    assert all(10 < len(line) < 90 for line in lines.values())


def test_an_unknown_finding_is_one_line_with_the_nearest():
    with pytest.raises(InputError, match=r"no finding 'dead-unit'; did you mean 'dead-units'\?"):
        story("dead-unit")
    with pytest.raises(InputError, match="explain"):
        story("../registry")
