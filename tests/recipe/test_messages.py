"""Bad input gets one line with the key, the value, what is allowed and the nearest name."""

from __future__ import annotations

import re
import tomllib

import pytest

from surefoot.errors import RecipeError
from surefoot.recipe import Recipe

NET = "[net]\nlayers = [{dense = 2}]\n"
KINDS = "kinds: dense, conv, activation, batch_norm, dropout, max_pool"
PAIR = "must be a whole number of at least 1, or two of them: [height, width]"

# What pydantic and Python would say, and no user should read.
JARGON = re.compile(
    r"Input should|validation error|Value error|pydantic|[Tt]uple|dict|NoneType|constrained|"
    r"function-|Spec\b|datetime|literal\[|input_value|<class|object at|refus"
)

IN_A_LAYER = [
    ("{dense = 0}", "dense = 0 (layer 1, dense): must be at least 1, or one of classes, outputs"),
    ("{dense = -1}", "dense = -1 (layer 1, dense): must be at least 1"),
    ("{dense = 1.5}", "dense = 1.5 (layer 1, dense): must be a whole number"),
    ("{dense = true}", "dense = true (layer 1, dense): must be a whole number"),
    ("{dense = 99999999999}", "dense = 99999999999 (layer 1, dense): must be at most 1000000000"),
    ('{dense = "class"}', "dense = \"class\" (layer 1, dense): must be a whole number, or one of "
     "classes, outputs; did you mean 'classes'?"),
    ("{dense = 2, bias = 0}", "bias = 0 (layer 1, dense): must be true or false"),
    ("{dense = 2, units = 3}", "units = 3 (layer 1, dense): unknown key (allowed: bias, "),
    ("{dnse = 3}", " = {dnse = 3} (layer 1): no key names the kind of layer; did you mean 'dense'"),
    ("{relu = {}}", 'did you mean {activation = "relu"}?'),
    ('"relu"', ' = "relu" (layer 1): a layer is a table with a key for its kind; did you mean '
     '{activation = "relu"}? (' + KINDS),
    ('"droput"', "did you mean 'dropout'?"),
    ("{}", " = {} (layer 1): no key names the kind of layer (" + KINDS),
    ("3", " = 3 (layer 1): a layer is a table with a key for its kind (" + KINDS),
    ("{dense = 3, dropout = 0.5}", " (layer 1): is dense and dropout at once; make each a layer"),
    ("{conv = 3, size = 0}", "size = 0 (layer 1, conv): " + PAIR),
    ("{conv = 3, size = [1, 2, 3]}", "size = [1, 2, 3] (layer 1, conv): " + PAIR),
    ("{conv = 3, size = [2]}", PAIR),
    ('{conv = 3, size = "3"}', PAIR),
    ("{conv = 3, size = true}", PAIR),
    ("{conv = 3, size = [2, 2.5]}", PAIR),
    ("{conv = 3, stride = [0, 1]}", "stride = [0, 1] (layer 1, conv): " + PAIR),
    ('{conv = 3, padding = "valide"}', "must be one of same, valid; did you mean 'valid'?"),
    ('{activation = "rleu"}', "did you mean 'relu'?"),
    ("{activation = 3}", "activation = 3 (layer 1, activation): must be one of step, identity, "),
    ('{activation = "relu", slope = 0.1}', "slope = 0.1 (layer 1, activation): unknown key for "
     "activation 'relu' (allowed: none)"),
    ('{activation = "elu", alhpa = 1.0}', "did you mean 'alpha'? (allowed: alpha)"),
    ('{activation = "elu", alpha = nan}', "alpha = nan (layer 1, activation): must be a finite"),
    ('{activation = "rrelu", low = 0.5, high = 0.1}', "low = 0.5 (layer 1, activation): must be at "
     "most high, which is 0.1"),
    ("{flatten = {}}, {dropout = 1.5}", "net.layers[1].dropout = 1.5 (layer 2, dropout): must be "
     "less than 1"),
    ("{dropout = -0.5}", "must be at least 0"),
    ("{dropout = false}", "dropout = false (layer 1, dropout): must be a number"),
    ('{dropout = "0.5"}', 'dropout = "0.5" (layer 1, dropout): must be a number'),
    ("{batch_norm = true}", "batch_norm = true (layer 1, batch_norm): must be a table"),
    ("{batch_norm = {momentum = 2}}", "batch_norm.momentum = 2 (layer 1, batch_norm): must be at "
     "most 1"),
    ("{batch_norm = {eps = 2}}", "batch_norm.eps = 2 (layer 1, batch_norm): unknown key; did you "
     "mean 'epsilon'? (allowed: epsilon, momentum)"),
    ("{max_pool = 0}", "max_pool = 0 (layer 1, max_pool): " + PAIR),
    ("{flatten = {a = 1}}", "flatten.a = 1 (layer 1, flatten): unknown key (allowed: none)"),
    ("{global_average_pool = 2}", "must be a table"),
    ("{residual = []}", "residual = [] (layer 1, residual): needs at least 1 entry"),
    ("{residual = 3}", "residual = 3 (layer 1, residual): must be a list"),
    ("{residual = [{dense = 3}, {residual = [{dropout = 2}]}]}",
     "net.layers[0].residual[1].residual[0].dropout = 2 (layer 1.2.1, dropout): must be less than"),
    ("{repeat = 2}", "net.layers[0].layers (layer 1, repeat): is missing; this key is needed"),
    ("{repeat = 999_999, layers = [{dense = 2}]}", "must have 100,000 layers at most"),
    ("{repeat = 0, layers = [{dense = 2}]}", "repeat = 0 (layer 1, repeat): must be at least 1"),
    ("{repeat = 2, layers = [{dense = 0}]}", "layers[0].layers[0].dense = 0 (layer 1.1, dense)"),
    ('{dense = 2, initializer = "he_norml"}', 'net.layers[0].initializer.name = "he_norml" '
     "(layer 1, dense): must be one of zeros, "),
    ('{dense = 2, initializer = {name = "normal", std = 1}}', "initializer.std = 1 (layer 1, "
     "dense): unknown key for initializer 'normal'; did you mean 'stddev'? (allowed: mean"),
    ("{dense = 2, initializer = {stddev = 1}}", "initializer.name (layer 1, dense): is missing"),
    ("{dense = 2, initializer = 3}", "initializer = 3 (layer 1, dense): must be a table"),
    ('{dense = 2, initializer = {name = "uniform", low = 1, high = 0}}', "initializer.low = 1 "
     "(layer 1, dense): must be at most high, which is 0"),
    ('{dense = 2, initializer = {name = "uniform", low = 1}}', "at most high, which is 0.05"),
    ('{dense = 2, initializer = {name = "normal", stddev = -1}}', "must be at least 0"),
    ('{dense = 2, bias_initializer = "he_normal"}', 'bias_initializer = "he_normal" (layer 1, '
     "dense): a bias has no inputs to scale by; must be one of zeros, ones, constant, normal"),
]  # fmt: skip

IN_A_SECTION = [
    ("optimizer", 'name = "adma"', "optimizer.name = \"adma\": must be one of sgd, momentum, "
     "nesterov, adagrad, rmsprop, adam, adamw, radam, quickprop"),
    ("optimizer", 'name = "adma"', "did you mean 'adam'?"),
    ("optimizer", "name = 3", "optimizer.name = 3: must be one of sgd"),
    ("optimizer", "beta = 0.9", "optimizer.beta = 0.9: unknown key; did you mean 'beta2'? "
     "(allowed: beta1, beta2, epsilon, learning_rate, name, weight_decay)"),
    ("optimizer", 'name = "sgd"\nmomentum = 0.9', "optimizer.momentum = 0.9: unknown key "),
    ("optimizer", "learning_rate = 0", "optimizer.learning_rate = 0: must be greater than 0"),
    ("optimizer", "learning_rate = nan", "optimizer.learning_rate = nan: must be a finite number"),
    ("optimizer", "learning_rate = inf", "optimizer.learning_rate = inf: must be a finite number"),
    ("optimizer", "learning_rate = 1e400", "must be a finite number"),
    ("optimizer", "learning_rate = 1" + "0" * 400, "about 400 digits: must be a finite"),
    ("optimizer", 'learning_rate = "1e-3"', 'learning_rate = "1e-3": must be a number'),
    ("optimizer", "learning_rate = true", "optimizer.learning_rate = true: must be a number"),
    ("optimizer", "learning_rate = [1]", "optimizer.learning_rate = [1]: must be a number"),
    ("optimizer", "learning_rate = 1979-05-27", "learning_rate = 1979-05-27: must be a number"),
    ("optimizer", 'name = "momentum"\nmomentum = 1', "optimizer.momentum = 1: must be less than 1"),
    ("optimizer", 'name = "momentum"\naverage = 1', "optimizer.average = 1: must be true or false"),
    ("optimizer", 'name = "optax.Lion"', 'must be "optax." and the name of an optimizer'),
    ("optimizer", 'name = "optax.lion"\nb1 = 0.9', "(allowed: learning_rate, name, options)"),
    ("optimizer", 'name = "optax.lion"\noptions = 3', "optimizer.options = 3: must be a table of"),
    ("optimizer", 'name = "optax.lion"\noptions = {b1 = nan}', "options.b1 = nan: must be"),
    ("optimizer", 'name = "optax.lion"\noptions = {b1 = [1]}', "optimizer.options.b1 = [1]: must"),
    ("schedule", 'name = "cos"', "schedule.name = \"cos\": must be one of constant, step, "
     "exponential, inverse_time, cosine, cyclic_cosine, transformer, plateau; did you mean "
     "'cosine'?"),
    ("schedule", 'name = "cosine"\nfactor = 1', "schedule.factor = 1: unknown key (allowed: final"),
    ("schedule", "warmup = 2", "schedule.warmup = 2: must be at most 1"),
    ("schedule", 'name = "plateau"\nfactor = 1.0', "schedule.factor = 1.0: must be less than 1"),
    ("schedule", 'name = "plateau"\npatience = 0', "schedule.patience = 0: must be at least 1"),
    ("train", "epochs = 0", "train.epochs = 0: must be at least 1"),
    ("train", "epochs = 1.5", "train.epochs = 1.5: must be a whole number"),
    ("train", "epoch = 3", "train.epoch = 3: unknown key; did you mean 'epochs'? (allowed: batch_"),
    ("train", 'batch_size = "ful"', 'train.batch_size = "ful": must be a whole number, or "full"; '
     "did you mean 'full'?"),
    ("train", "batch_size = 0", 'train.batch_size = 0: must be at least 1, or "full"'),
    ("train", "batch_size = 0\nepochs = 0", "(and 1 more key with errors)"),
    ("train", 'loss = "crossentropy"', "did you mean 'cross_entropy'?"),
    ("train", 'from_logits = "yes"', 'train.from_logits = "yes": must be true or false'),
    ("train", 'loss = "mean_squared_error"\nfrom_logits = true', "train.from_logits = true: "
     "mean_squared_error takes outputs as they are"),
    ("train", "clip_norm = 0", "train.clip_norm = 0: must be greater than 0"),
    ("train", 'class_weight = "balance"', 'train.class_weight = "balance": must be "balanced", or '
     "a table"),
    ("train", "class_weight = {a = -1}", "train.class_weight.a = -1: must be a finite number"),
    ("train", 'class_weight = {"a b" = true}', 'train.class_weight."a b" = true: must be a finite'),
    ("train", "class_weight = {a = inf}", "train.class_weight.a = inf: must be a finite number"),
    ("train", "class_weight = {a = 0}", "must give at least one class a weight above 0"),
    ("train", "class_weight = {}", "must give at least one class a weight above 0"),
    ("train", "early_stopping = true", "train.early_stopping = true: must be a table"),
    ("train", "early_stopping = {patience = 0}", "train.early_stopping.patience = 0: must be at"),
    ("train", 'early_stopping = {monitor = "val_loss"}', "did you mean 'validation_loss'?"),
    ("train", 'precision = "float16"', "must be one of float32, float64"),
    ("data", "validation = 1.0", "data.validation = 1.0: must be less than 1"),
    ("data", "source = 3", "data.source = 3: must be a text"),
    ("data", 'source = ""', 'data.source = "": must be the name of a built-in set or the path'),
    ("data", 'source = "a\\u0000b"', r'data.source = "a\u0000b": must be the name of a built-in'),
    ("data", "noise = 1e9", "data.noise = 1000000000.0: must be at most 100"),
    ("data", 'impute = "mode"', "median, zero; did you mean 'mean'?"),
    ("data", "standardize = 1", "data.standardize = 1: must be true or false"),
    ("data", "rows = 9223372036854775808", "data.rows = 9223372036854775808: must be at most"),
    ("vitals", "every = -1", "vitals.every = -1: must be at least 0"),
    ("vitals", "every = 9999999999999999999999", "must be at most 1000000000"),
    ("vitals", "evry = 1", "vitals.evry = 1: unknown key; did you mean 'every'? (allowed: every, "),
]  # fmt: skip

WHOLE = [
    ("", "r.toml: net: is missing; this key is needed"),
    ("net = 3", "r.toml: net = 3: must be a table"),
    ("[net]", "net.layers: is missing"),
    ("[net]\nlayers = []", "net.layers = []: needs at least 1 entry"),
    ("[net]\nlayers = 3", "net.layers = 3: must be a list"),
    ('[net]\nlayers = "dense"', 'net.layers = "dense": must be a list'),
    ("[net]\nlayers = {dense = 3}", "net.layers = {dense = 3}: must be a list"),
    (NET + 'initializer = "orthogonl"', "did you mean 'orthogonal'?"),
    (NET + 'bias_initializer = "fixup"', 'net.bias_initializer = "fixup": a bias has no inputs'),
    (NET + "[trian]\nepochs = 3", "r.toml: trian = {epochs = 3}: unknown key; did you mean 'train'?"
     " (allowed: average, checkpoints, data, devices, evolution, net, optimizer, pretrain,"
     " schedule, seed, train, transfer, vitals)"),
    ("optimizer = 3\n" + NET, "optimizer = 3: must be a name, or a table with a name"),
    ('schedule = "cosin"\n' + NET, "did you mean 'cosine'?"),
    ("seed = -1\n" + NET, "seed = -1: must be at least 0"),
    ("seed = 4294967296\n" + NET, "seed = 4294967296: must be less than 4294967296"),
    ("seed = 9999999999999999999999\n" + NET, "must be less than 4294967296"),
    ("seed = true\n" + NET, "seed = true: must be a whole number"),
    ("seed = 1.0\n" + NET, "seed = 1.0: must be a whole number"),
    (NET + '["a\\nb"]\n"c\\nd" = 1', r'"a\nb" = {"c\nd" = 1}: unknown key'),
    (NET + '"" = 1', 'net."" = 1: unknown key'),
    (NET + '"\\u001b[31m" = 1', r'net."\u001b[31m" = 1: unknown key'),
]  # fmt: skip

CASES = [
    *((f"[net]\nlayers = [{layers}]", fragment) for layers, fragment in IN_A_LAYER),
    *((f"{NET}[{section}]\n{keys}", fragment) for section, keys, fragment in IN_A_SECTION),
    *WHOLE,
]


def message(values):
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(values, where="r.toml")
    return str(caught.value)


@pytest.mark.parametrize(("text", "fragment"), CASES, ids=lambda value: repr(value)[-60:])
def test_one_line(text, fragment):
    said = message(tomllib.loads(text))
    assert fragment in said
    assert said.startswith("r.toml: ")
    assert said.isprintable()
    assert len(said) < 500
    assert not JARGON.search(said.replace("auto, refuse,", "")), said


@pytest.mark.parametrize(
    "values",
    [
        {"net": {"layers": [{"dense": 2}]}, "a" * 100_000: 1},
        {"net": {"layers": [{"dense": 2}]}, "train": {"loss": "a" * 100_000}},
        {"net": {"layers": [{"dense": list(range(100_000))}]}},
        {"net": {"layers": [{"b" * 100_000: 1}] * 1000}},
        {"net": {"layers": [{"dense": 2}]}, "seed": 10**100_000},
        {"net": {"layers": [{"residual": [{"residual": [{"dense": object()}]}]}]}},
    ],
    ids=["key", "text", "list", "many", "number", "object"],
)
def test_huge_values_make_no_huge_messages(values):
    said = message(values)
    assert len(said) < 500
    assert said.isprintable()


@pytest.mark.parametrize("values", [3, None, [], "net", {"net": None}, {3: 4}, {"net": {3: 4}}])
def test_what_is_no_table(values):
    assert message(values).isprintable()


def test_a_thousand_blocks_within_blocks():
    layer = {"dense": 2}
    for _ in range(1000):
        layer = {"residual": [layer]}
    said = message({"net": {"layers": [layer]}})
    assert said.startswith("r.toml: net: holds tables deeper")
    assert "use repeat" in said


BAD_IDEAS = {
    "a softmax over one unit": '[net]\nlayers = [{dense = 1}, {activation = "softmax"}]',
    "relu at the output": '[net]\nlayers = [{dense = "classes"}, {activation = "relu"}]',
    "squared error on classes": '[net]\nlayers = [{dense = "classes"}]\n[train]\n'
    'loss = "mean_squared_error"',
    "cross-entropy on numbers": '[net]\nlayers = [{dense = "outputs"}]\n[train]\n'
    'loss = "cross_entropy"',
    "weights all zero": '[net]\nlayers = [{dense = 2, initializer = "zeros"}]',
    "weights all alike": '[net]\nlayers = [{dense = 2}]\ninitializer = '
    '{name = "constant", value = 0.5}',
    "a spread of zero": NET + 'initializer = {name = "normal", stddev = 0}',
    "a rate of 100": NET + "[optimizer]\nlearning_rate = 100",
    "a rate of 1e300": NET + "[optimizer]\nlearning_rate = 1e300",
    "a rate of 1e-300": NET + "[optimizer]\nlearning_rate = 1e-300",
    "weights that decay at once": NET + "[optimizer]\nweight_decay = 100",
    "dropout of nearly all": "[net]\nlayers = [{dense = 2}, {dropout = 0.999}]",
    "no bias, but an initializer for it": '[net]\nlayers = [{dense = 2, bias = false, '
    'bias_initializer = "ones"}]',
    "steps for ever": NET + "[train]\nepochs = 1000000000",
    "a warm-up without an end": NET + "[schedule]\nwarmup = 1",
    "a transformer without a warm-up": NET + '[schedule]\nname = "transformer"\nwarmup = 0',
    "a schedule that grows": NET + '[schedule]\nname = "step"\nfactor = 10',
    "growing slopes": '[net]\nlayers = [{activation = "leaky_relu", slope = 3}]',
    "two activations in a row": '[net]\nlayers = [{activation = "relu"}, {activation = "relu"}]',
    "a softmax in the middle": '[net]\nlayers = [{activation = "softmax"}, {dense = 2}]',
    "no validation": NET + "[data]\nvalidation = 0",
}  # fmt: skip


@pytest.mark.parametrize("text", BAD_IDEAS.values(), ids=BAD_IDEAS)
def test_a_bad_idea_is_accepted(text):
    recipe = Recipe.parse(tomllib.loads(text))
    assert Recipe.parse(recipe.to_dict()) == recipe
