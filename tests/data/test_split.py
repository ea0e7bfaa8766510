"""The split: nothing lost, deterministic, stratified."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.data.split import split
from surefoot.errors import DataError


@settings(max_examples=200, deadline=None)
@given(
    counts=st.lists(st.integers(0, 30), min_size=2, max_size=8),
    share=st.floats(0.001, 0.999),
    seed=st.integers(0, 2**32 - 1),
)
def test_stratified(counts, share, seed):
    counts = np.array(counts)
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    able = counts >= 2
    if len(labels) < 2 or not able.any():
        with pytest.raises(DataError):
            split(len(labels), share, seed, labels)
        return
    train, validation = split(len(labels), share, seed, labels)
    np.testing.assert_array_equal(
        np.sort(np.concatenate([train, validation])), np.arange(len(labels))
    )
    sent = np.bincount(labels[validation], minlength=len(counts))
    assert (sent[counts > 0] < counts[counts > 0]).all()  # every class trains
    wanted = min(max(round(share * len(labels)), 1), int(np.maximum(counts - 1, 0).sum()))
    assert len(validation) == wanted
    if wanted >= able.sum():
        assert (sent[able] >= 1).all()  # and is validated
    # Each class sends its share, but for rounding and what classes at their bounds hand over.
    if (counts * share >= 1).all() and (counts * (1 - share) >= 1).all():
        assert (np.abs(sent - counts * share) <= 2).all()


@settings(max_examples=50, deadline=None)
@given(rows=st.integers(2, 50), share=st.floats(0.001, 0.999), seed=st.integers(0, 5))
def test_random(rows, share, seed):
    train, validation = split(rows, share, seed)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, validation])), np.arange(rows))
    assert len(validation) == min(max(round(share * rows), 1), rows - 1)


def test_depends_on_the_seed_alone():
    labels = np.arange(100) % 3
    for given_labels in (None, labels):
        first, again, other = (split(100, 0.2, seed, given_labels) for seed in (1, 1, 2))
        np.testing.assert_array_equal(first[1], again[1])
        assert (first[1] != other[1]).any()


def test_rows_are_equally_likely():
    times = np.zeros(10)
    for seed in range(2000):
        times[split(10, 0.2, seed, np.arange(10) % 2)[1]] += 1
    # Binomial(2000, 0.2) has standard deviation 18: five of them.
    assert (np.abs(times - 400) < 90).all()


def test_many_small_classes_beside_a_large_one():
    labels = np.concatenate([np.zeros(50_000, int), 1 + np.arange(50_000) // 2])
    _, validation = split(len(labels), 0.4, 0, labels)
    assert len(validation) == 40_000
    assert (np.bincount(labels[validation])[1:] == 1).all()


@pytest.mark.parametrize(
    ("rows", "labels", "said"),
    [(1, None, "single row"), (3, np.arange(3), "occurs only once")],
)
def test_what_cannot_be_split(rows, labels, said):
    with pytest.raises(DataError, match=said):
        split(rows, 0.2, 0, labels)
