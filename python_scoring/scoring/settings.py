"""What `lm train` and `lm score` are set to, from the project's variables."""

from __future__ import annotations

from python_scoring.base.profile import Target
from python_scoring.base.settings import whole_number
from python_scoring.probability.settings import ProbabilitySettings

# Field of ProbabilitySettings: variable of dbt_project.yml.
VARIABLES = {
    "booking_days": "lm_booking_days",
    "repeat_days": "lm_repeat_days",
    "complaint_days": "lm_complaint_days",
    "min_rows": "lm_train_min_rows",
    "min_positives": "lm_train_min_positives",
    "history_days": "lm_train_history_days",
    "max_rows": "lm_train_max_calls",
}


def settings(target: Target) -> ProbabilitySettings:
    """The variables as the models take them."""
    return ProbabilitySettings(
        **{field: whole_number(target, name) for field, name in VARIABLES.items()}
    )
