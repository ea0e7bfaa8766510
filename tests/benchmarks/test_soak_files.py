"""Damaged files: refused with one line, or as good as before; never a traceback."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.soak import damage, folders
from benchmarks.soak.files import fuzz


def test_no_traceback_and_no_wrong_answer(tmp_path):
    result = fuzz(tmp_path, count=150)
    assert result.failures == []
    assert sum(result.ended.values()) >= 150
    # Each way to end is met: the cases reach what they are meant to reach.
    assert {"refused", "previous", "partial"} <= set(result.ended)


def test_damaged_folders_go_on_as_they_should_or_say_what_is_wrong(tmp_path):
    result = fuzz(tmp_path, count=58, make=folders.make, subjects=folders.subjects)
    assert result.failures == []
    assert sum(result.ended.values()) >= 58
    assert {"refused", "previous", "named", "partial"} <= set(result.ended)


def test_the_cases_reach_every_region_and_every_kind_of_damage():
    many = list(damage.cases(6400, 64 * len(damage.KINDS)))
    assert {case.first for case in many} == set(range(0, 6400, 100))
    assert {case.kind for case in many} == set(damage.KINDS)
    assert {(case.first, case.kind) for case in many} == {
        (first, kind) for first in range(0, 6400, 100) for kind in damage.KINDS
    }


@pytest.mark.parametrize("kind", damage.KINDS)
def test_a_damage_changes_the_bytes_that_it_names(kind):
    data = bytes(range(1, 101))
    bad = damage.damaged(data, damage.Case(kind, 40, 60), np.random.default_rng(0))
    assert bad != data
    assert bad[:40] == data[:40]
