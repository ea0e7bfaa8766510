"""Which finding follows from which."""

from __future__ import annotations

from graphlib import TopologicalSorter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.doctor.causes import EFFECTS, cause_of, causes_of, chain, root_scores
from surefoot.doctor.finding import IDS, Suspicion


def suspicions(**strengths):
    return [Suspicion(id.replace("_", "-"), s, "", {}) for id, s in strengths.items()]


def test_causes_and_effects_are_findings_and_none_causes_itself():
    for cause, effects in EFFECTS.items():
        assert {cause, *effects} <= set(IDS)
        assert cause not in effects
        assert len(set(effects)) == len(effects)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from((0.0, 0.3, 0.6, 1.0)), min_size=len(IDS), max_size=len(IDS)))
def test_no_finding_follows_from_itself(strengths):
    found = [Suspicion(id, s, "", {}) for id, s in zip(IDS, strengths, strict=True)]
    for root in (None, *IDS):
        caused = causes_of(found, root)
        assert set(caused) == set(IDS)
        order = TopologicalSorter({id: [cause] for id, cause in caused.items() if cause})
        list(order.static_order())  # raises where there is a circle


def test_a_root_is_what_nothing_else_explains():
    scores = root_scores(
        suspicions(unscaled_inputs=0.8, saturated_units=0.9, vanishing_gradients=1.0)
    )
    assert scores["unscaled-inputs"] == 0.8
    assert scores["saturated-units"] == pytest.approx(0.9 * 0.2)
    assert scores["vanishing-gradients"] == pytest.approx(1.0 * 0.2 * 0.1)


def test_the_way_from_the_root_is_shown_whole():
    found = suspicions(unscaled_inputs=0.8, saturated_units=0.9, vanishing_gradients=0.95)
    caused = {s.id: cause_of(s.id, found, "unscaled-inputs") for s in found}
    assert caused["unscaled-inputs"] is None
    assert caused["saturated-units"] == "unscaled-inputs"
    assert chain("unscaled-inputs", caused)[0] == "unscaled-inputs"
    longer = {"a": None, "b": "a", "c": "b", "d": "a"}
    assert chain("a", longer) == ["a", "b", "c"]
    assert chain("d", {"d": None}) == ["d"]


def test_without_the_root_the_strongest_cause_is_named():
    found = suspicions(dead_units=0.4, saturated_units=0.9, vanishing_gradients=0.5, ravine=0.9)
    assert cause_of("vanishing-gradients", found, "ravine") == "saturated-units"
    assert cause_of("dead-units", found, "ravine") is None
    weak = suspicions(saturated_units=0.2, vanishing_gradients=0.5)
    assert cause_of("vanishing-gradients", weak, "ravine") is None


def test_a_circle_of_causes_ends():
    assert chain("a", {"a": None, "b": "c", "c": "b"}) == ["a"]
