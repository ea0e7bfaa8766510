"""Each page's study in its small form bears out what the page claims."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from handbook.render import numbers_of
from handbook.study import all_studies
from surefoot.figures.draw import draw
from surefoot.figures.svg import to_svg

STUDIES = all_studies()


@pytest.mark.parametrize("name", STUDIES)
def test_the_claims_hold(name):
    study = STUDIES[name]
    found = study.run(full=False)
    broken = [claim for claim, holds in study.claims.items() if not holds(found.numbers)]
    assert not broken, (broken, found.numbers)
    assert found.charts
    for chart in found.charts.values():
        assert ElementTree.fromstring(to_svg(draw(chart))).tag.endswith("svg")


@pytest.mark.parametrize("name", STUDIES)
def test_the_claims_hold_of_the_figures_that_the_page_prints(name):
    numbers = numbers_of(name)
    broken = [claim for claim, holds in STUDIES[name].claims.items() if not holds(numbers)]
    assert not broken


def test_a_claim_can_fail():
    momentum = STUDIES["momentum"].claims["ravine"]
    assert not momentum({"ravine_speedup": 1.0})
