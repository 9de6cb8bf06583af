"""What is predicted: each metric's label, base rates and methods, and the settings of training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

BOOKING = "conversion_prob_forecast"
REPEAT = "second_call_prob"
COMPLAINT = "complaint_prob"
METRICS = (BOOKING, REPEAT, COMPLAINT)


@dataclass(frozen=True)
class MetricSpec:
    """One probability: which event of the caller, and the base rates that stand in for a model.

    `levels` are the steps of the base rates, each a derived column that narrows the one before;
    `prior` is the rate before any call is known, `level_priors` that of the first level's values.
    `needs_reviews`: the event is seen only once its call is reviewed.
    """

    event_column: str
    needs_reviews: bool
    prior: float
    prior_calls: float
    levels: tuple[str, ...]
    methods: tuple[str, ...]
    level_priors: Mapping[str, float] = field(default_factory=dict)
    # The first level's values are bands, and their rates must not fall from band to band.
    is_monotone: bool = False
    # Columns whose values multiply the narrowest level's rate, see BaseRates.
    factors: tuple[str, ...] = ()
    # The features of the trained model; all of them when empty.
    features: tuple[str, ...] = ()

    def gate_column(self, metric: str) -> str:
        return f"{metric}_gate"


SPECS: Mapping[str, MetricSpec] = {
    BOOKING: MetricSpec(
        event_column="next_booking_at",
        needs_reviews=True,
        prior=0.1,
        prior_calls=20,
        levels=("outcome", "call_category", "service_group"),
        level_priors={"lead_no_record": 0.15, "refused": 0.05, "info_only": 0.08, "none": 0.05},
        methods=("regression", "gbm"),
    ),
    REPEAT: MetricSpec(
        event_column="next_call_in_at",
        needs_reviews=False,
        prior=0.2,
        prior_calls=20,
        levels=("is_answered", "outcome", "calls_7d_class"),
        methods=("regression", "gbm"),
    ),
    COMPLAINT: MetricSpec(
        event_column="next_complaint_at",
        needs_reviews=True,
        prior=0.005,
        prior_calls=200,
        levels=("complaint_band", "calls_7d_class"),
        # Too rare for trees: they find what happened once.
        methods=("regression",),
        is_monotone=True,
        factors=("outcome",),
        # With few events every feature costs; these are what complaints grow from.
        features=(
            "direction",
            "is_answered",
            "outcome",
            "call_category",
            "refusal_code",
            "service_group",
            "await_sec",
            "calls_7d",
            "calls_30d",
            "days_since_last_call",
            "complaint_points",
        ),
    ),
}


@dataclass(frozen=True)
class ProbabilitySettings:
    """Horizons in days, the rule of adoption, and how much history is read."""

    booking_days: int = 14
    repeat_days: int = 7
    complaint_days: int = 30
    # A trained model needs so many matured calls and events among them.
    min_rows: int = 1000
    min_positives: int = 120
    # The yardstick: the rate of the newest matured calls.
    recent_rows: int = 1000
    history_days: int = 400
    max_rows: int = 120_000

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise ValueError(f"{name} must be 1 or more, not {value}")

    def horizon_days(self, metric: str) -> int:
        if metric not in SPECS:
            raise ValueError(f"no such metric: {metric}; there are {', '.join(METRICS)}")
        days = {
            BOOKING: self.booking_days,
            REPEAT: self.repeat_days,
            COMPLAINT: self.complaint_days,
        }
        return days[metric]
