"""The table of single nets and ensembles, paired over seeds, and what may be concluded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.ensemble.measuring import Score
from surefoot.study.conclusions import grain, holm, interval, means, paired_p, verdict_of


@dataclass(frozen=True)
class Kind:
    """One kind of net or ensemble, by one figure.

    Attributes:
        mean: over seeds.
        difference: from a single net, the mean over equal seeds; NaN for the single net itself.
        low: the lower end of its 95 % bootstrap interval.
        high: the upper end.
        p: of a paired t-test, corrected by Holm for all comparisons of the table.
        verdict: "better", "worse", "no difference shown"; "" for the single net.
    """

    mean: float
    difference: float
    low: float
    high: float
    p: float
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """What each kind of ensemble is worth on some data.

    Attributes:
        source: of the data.
        measure: "accuracy" or "rmse".
        kinds: by name, each by the measure and by the loss.
        seeds: how many.
        compared_on: how many rows.
    """

    source: str
    measure: str
    kinds: dict[str, tuple[Kind, Kind]]
    seeds: int
    compared_on: int

    @property
    def rows(self) -> list[list[str]]:
        """The table for people: name, and for measure and loss mean, difference and verdict."""
        return [
            [name, *_texts(measure, self.measure), *_texts(loss, "loss")]
            for name, (measure, loss) in self.kinds.items()
        ]

    @property
    def conclusions(self) -> list[str]:
        """Sentences: what is better than a single net, and what is not shown to be."""
        found = []
        for place, figure in enumerate((self.measure, "loss")):
            for verdict, words in (("better", "better"), ("worse", "worse")):
                names = [n for n, kind in self.kinds.items() if kind[place].verdict == verdict]
                if names:
                    found.append(f"by {figure} {words} than a single net: {', '.join(names)}.")
            rest = [
                n for n, kind in self.kinds.items() if kind[place].verdict == "no difference shown"
            ]
            if rest:
                found.append(f"by {figure} no difference is shown for: {', '.join(rest)}.")
        rows = f"{self.compared_on:,} rows by which nothing was chosen"
        return [*found, f"{self.seeds} seeds, compared on {rows}."]

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as plain data."""
        return {
            "source": self.source,
            "measure": self.measure,
            "seeds": self.seeds,
            "compared_on": self.compared_on,
            "kinds": [
                {"kind": name, self.measure: vars(measure), "loss": vars(loss)}
                for name, (measure, loss) in self.kinds.items()
            ],
            "conclusions": self.conclusions,
        }


def conclude(
    source: str, measure: str, scores: Mapping[str, Sequence[Score]], rows: int
) -> Comparison:
    """Compare each kind with the first over equal seeds.

    Args:
        source: of the data.
        measure: "accuracy" or "rmse".
        scores: by kind, one for each seed; the first kind is the single net.
        rows: how many were compared on.

    >>> ones = np.ones(2)
    >>> single = [Score(ones * loss, 0.9, ones) for loss in (0.5, 0.6, 0.55)]
    >>> other = [Score(ones * loss, 0.9, ones) for loss in (0.4, 0.5, 0.46)]
    >>> found = conclude("iris", "accuracy", {"single": single, "5 seeds": other}, 2)
    >>> found.conclusions[1], found.kinds["5 seeds"][0].verdict
    ('by loss better than a single net: 5 seeds.', 'no difference shown')
    """
    names = list(scores)
    figures = np.array(
        [
            [[each.measure for each in scores[name]] for name in names],
            [[each.mean_loss for each in scores[name]] for name in names],
        ]
    )
    paired = figures - figures[:, :1]
    p = np.stack([paired_p(d, grain(f)) for d, f in zip(paired, figures, strict=True)])
    p[:, 0] = np.nan
    corrected = holm(p.ravel(), 2 * (len(names) - 1)).reshape(p.shape)
    sides = []
    for place, higher in enumerate((measure != "rmse", False)):
        mean, difference = means(figures[place]), means(paired[place])
        low, high = interval(paired[place])
        kinds = [Kind(float(mean[0]), np.nan, np.nan, np.nan, np.nan, "")]
        for i in range(1, len(names)):
            verdict = verdict_of(difference[i], corrected[place, i], higher)
            numbers = (mean[i], difference[i], low[i], high[i], corrected[place, i])
            kinds.append(Kind(*map(float, numbers), verdict))
        sides.append(kinds)
    kinds = dict(zip(names, zip(*sides, strict=True), strict=True))
    return Comparison(source, measure, kinds, figures.shape[2], rows)


def _texts(kind: Kind, figure: str) -> list[str]:
    share = figure == "accuracy"
    mean = f"{kind.mean:.2%}" if share else f"{kind.mean:.4g}"
    if not kind.verdict:
        return [mean, "", ""]
    change = f"{100 * kind.difference:+.2f} points" if share else f"{kind.difference:+.3g}"
    return [mean, change, f"{kind.verdict} (p = {kind.p:.2g})"]
