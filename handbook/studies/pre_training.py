"""Pre-training: layers that have seen the inputs before they see a label."""

from __future__ import annotations

from handbook.lanes import train_lanes
from handbook.study import Found
from surefoot.report.charts import axis, plot, series

CLAIMS = {
    "deep-sigmoid": lambda n: n["sigmoid_rbm"] > n["sigmoid_none"] + 0.1,
    "relu": lambda n: "relu_none" not in n or abs(n["relu_rbm"] - n["relu_none"]) < 0.1,
}
_METHODS = ("none", "rbm", "denoising_autoencoder")


def measure(full: bool) -> Found:
    """Train a deep net of sigmoids, and one of ReLUs, with and without pre-training."""
    kinds = ("sigmoid", "relu") if full else ("sigmoid",)
    methods = _METHODS if full else _METHODS[:2]
    trained = {}
    for kind in kinds:
        net = [{"dense": 64}, {"activation": kind}] * 4
        start = {"initializer": "glorot_normal"} if kind == "sigmoid" else {}
        trained |= {
            f"{kind} {name}": own
            for name, own in train_lanes(
                "digits",
                {
                    name: {} if name == "none" else {"pretrain": {"method": name, "epochs": 20}}
                    for name in methods
                },
                net=[*net, {"dense": "classes"}, {"activation": "softmax"}],
                seeds=5 if full else 1,
                keys={
                    "optimizer": "sgd",
                    "learning_rate": 0.1,
                    "epochs": 20 if full else 10,
                    **start,
                },
            ).items()
        }
    numbers = {
        "epochs": 20,
        **{
            f"{kind}_{name}": trained[f"{kind} {name}"].of("validation").mean()
            for kind in kinds
            for name in methods
        },
    }
    lines = [
        series(name, *own.curve(), role=role) for role, (name, own) in enumerate(trained.items())
    ]
    title = "Training loss of four hidden layers, after pre-training"
    chart = plot("pretraining", title, axis("step", low=0), axis("training loss"), lines)
    return Found(numbers, {"": chart})
