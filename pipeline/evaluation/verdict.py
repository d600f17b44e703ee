"""Is one arm better than another, or is the difference within the noise of the seeds?"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

# Student's t for 95 % two-sided intervals, by degrees of freedom; beyond the table, the normal quantile is near enough.
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145)
NORMAL = 1.96  # its 97.5 % quantile
FEWEST_SEEDS = 3


@dataclass(frozen=True)
class Verdict:
    """A difference in points (hundredths), and the half width of its 95 % interval over the seeds."""

    points: float
    half_width: float | None  # None with one seed

    @property
    def within_noise(self) -> bool:
        return self.half_width is None or abs(self.points) <= self.half_width

    @property
    def word(self) -> str:
        """better, worse, or within the noise."""
        if self.half_width is None:
            return "one seed says nothing"
        if self.within_noise:
            return "within the noise"
        return "better" if self.points > 0 else "worse"

    def __str__(self) -> str:
        spread = "" if self.half_width is None else f" ± {self.half_width:.1f}"
        return f"{signed(self.points)}{spread} points: {self.word}"


def compare(values: Sequence[float], baseline: Sequence[float]) -> Verdict:
    """Paired over seeds: both arms saw the same first weights and the same order of draws."""
    if len(values) != len(baseline) or not values:
        raise ValueError(f"{len(values)} and {len(baseline)} seeds; a comparison needs the same ones, at least one")
    differences = [100 * (a - b) for a, b in zip(values, baseline, strict=True)]
    return Verdict(mean(differences), half_width(differences))


def half_width(values: Sequence[float]) -> float | None:
    """Of the 95 % interval of their mean; a single value has none."""
    return t_quantile(len(values) - 1) * stdev(values) / len(values) ** 0.5 if len(values) > 1 else None


def t_quantile(freedom: int) -> float:
    """Student's t, 97.5 %."""
    return _T[freedom - 1] if freedom <= len(_T) else NORMAL


def mean_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation; a single value has none."""
    return mean(values), stdev(values) if len(values) > 1 else 0.0


def signed(points: float) -> str:
    """With its sign, and no minus before a zero."""
    return f"{round(points, 1) + 0.0:+.1f}"
