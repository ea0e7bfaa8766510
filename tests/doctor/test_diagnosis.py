"""From suspicions to a diagnosis: verdict, root, severity and chain."""

from __future__ import annotations

import json

import numpy as np
import pytest

from surefoot.doctor.detector import Detector
from surefoot.doctor.diagnosis import examine, suspect, weigh
from surefoot.doctor.finding import Remedy, Suspicion

RAW = {"recipe": {"data.standardize": False}}
BIG = {"prepared": {"inputs": {"rms": 300.0, "std": 300.0}}}
TANH = (
    {"dense": 8},
    {"activation": "tanh"},
    {"dense": 8},
    {"activation": "tanh"},
    {"dense": "classes"},
    {"activation": "softmax"},
)


def poor(accuracy=0.35):
    """Metrics of a run that learned next to nothing."""
    ends = np.where(np.arange(640) % 32 == 31, accuracy, np.nan)
    return {"loss": 1.09, "accuracy": accuracy, "validation_accuracy": ends}


def suspicion(id, strength):
    return Suspicion(id, strength, "Words.", {"n": 1.0})


def test_a_healthy_run_is_healthy(evidence):
    found = examine(evidence())
    assert (found.verdict, found.root_cause, found.findings) == ("healthy", None, ())
    assert not found.partial


def test_what_is_unusual_and_does_no_harm_is_a_note(evidence):
    found = examine(evidence(**RAW, facts=BIG))
    assert (found.verdict, found.root_cause, found.chain) == ("healthy", None, ())
    assert {finding.severity for finding in found.findings} == {"note"}


def test_the_root_leads_and_the_chain_follows(evidence):
    signs = {"saturated_share": [0, 0.9, 0, 0.9, 0, 0], "signal_rms": [1e-4, 1, 1e-2, 1, 1, 1]}
    found = examine(evidence(**RAW, layers=TANH, facts=BIG, vitals=signs, metrics=poor()))
    assert (found.verdict, found.root_cause) == ("unhealthy", "unscaled-inputs")
    assert found.chain[0] == "unscaled-inputs"
    assert found.chain[-1] in ("saturated-units", "vanishing-gradients")
    first, *others = found.findings
    assert (first.id, first.severity, first.caused_by) == ("unscaled-inputs", "error", None)
    caused = {finding.id: finding.caused_by for finding in others}
    assert caused["saturated-units"] == caused["vanishing-gradients"] == "unscaled-inputs"


def test_a_poor_result_without_a_cause_is_said(evidence):
    found = examine(evidence(metrics={**poor(0.6), "loss": 0.8}))
    assert (found.verdict, found.root_cause) == ("unhealthy", "underfitting")
    assert "60.0%" in found.findings[0].explanation
    by_heart = examine(evidence(metrics={**poor(0.7), "accuracy": 0.95}))
    assert by_heart.root_cause == "overfitting"


@pytest.mark.parametrize(
    ("accuracy", "severity"), [(0.35, "error"), (0.85, "warning"), (0.95, "note")]
)
def test_the_result_decides_how_bad_a_root_is(evidence, accuracy, severity):
    found = weigh(evidence(metrics=poor(accuracy)), [suspicion("unscaled-inputs", 0.9)])
    assert found.findings[0].severity == severity


def test_divergence_is_an_error_whatever_else(evidence):
    found = weigh(evidence(), [suspicion("diverged", 1.0)])
    assert (found.verdict, found.findings[0].severity) == ("unhealthy", "error")


def test_without_a_yardstick_only_the_strong_ones_count(evidence):
    unknown = evidence(facts={"reference": None})
    severities = [
        weigh(unknown, [suspicion("unscaled-inputs", s)]).findings[0].severity
        for s in (0.5, 0.7, 0.9)
    ]
    assert severities == ["note", "warning", "error"]


def test_weak_suspicions_are_not_said(evidence):
    heard = [suspicion("ravine", 0.1), suspicion("dead-units", 0.5)]
    found = weigh(evidence(metrics=poor()), heard)
    assert [finding.id for finding in found.findings] == ["dead-units"]


def test_at_the_beginning_of_a_run_a_poor_result_proves_nothing(evidence):
    heard = [suspicion("learning-rate-too-low", 0.9)]
    early = evidence(steps=20, total_steps=640, metrics={"accuracy": 0.35})
    assert weigh(early, heard).verdict == "healthy"
    assert weigh(evidence(metrics=poor()), heard).verdict == "unhealthy"


def test_what_was_confirmed_is_the_root(evidence):
    heard = [suspicion("unscaled-inputs", 0.9), suspicion("dead-units", 0.5)]
    found = weigh(evidence(metrics=poor()), heard, confirmed="dead-units")
    assert found.root_cause == "dead-units"
    assert {f.id: f.certainty for f in found.findings} == {
        "dead-units": "confirmed",
        "unscaled-inputs": "observed",
    }


def test_a_detector_that_lacks_a_column_says_so_and_is_not_asked(evidence):
    def look(known):
        raise AssertionError

    heard, lacking = suspect(
        evidence(without=("signal_rms",)), [Detector("ravine", look, ("signal_rms", "loss"))]
    )
    assert (heard, lacking) == ([], ("signal_rms",))
    partial = examine(evidence(without=("signal_rms",)))
    assert partial.partial
    assert partial.lacking == ("signal_rms",)


def test_a_remedy_that_the_recipe_has_already_is_not_offered(evidence):
    remedies = (
        Remedy("as it is", {"train.batch_size": 32}),
        Remedy("larger", {"train.batch_size": 64}),
        Remedy("look at the rows"),
    )
    sick = Suspicion("ravine", 1.0, "Words.", {}, remedies=remedies)
    (heard,), _ = suspect(evidence(), [Detector("ravine", lambda known: sick)])
    assert [remedy.text for remedy in heard.remedies] == ["larger", "look at the rows"]


def test_a_plateau_that_was_measured_becomes_plain_data_too(evidence):
    ravine = {"loss": 1.0, "gradient_norm": 1.0, "gradient_noise": 0.0, "newton_loss": 0.5}
    swing = {"curvature_to_limit": 1.0, "step_cosine": -0.9, "step": 639.0}
    found = examine(evidence(metrics=poor(), curvature={**ravine, **swing}))
    values = json.loads(json.dumps(found.to_dict()))
    (entry,) = (entry for entry in values["findings"] if entry["id"] == "ravine")
    assert entry["evidence"]["step_cosine"] == -0.9


def test_the_plain_form_has_what_the_command_line_prints(evidence):
    values = examine(evidence(**RAW, facts=BIG, metrics=poor())).to_dict()
    assert values["verdict"] == "unhealthy"
    assert values["root_cause"] == values["findings"][0]["id"] == "unscaled-inputs"
    assert set(values["findings"][0]) >= {
        *("id", "severity", "since_step", "layers", "evidence", "certainty"),
        *("explanation", "remedies"),
    }
