"""What a user can mend: shown as one line, without a traceback."""

from __future__ import annotations

# Exit codes of `lm`, for schedulers: see `lm --help`.
EXIT_OK = 0
EXIT_PROBLEM = 1
EXIT_CONFIGURATION = 2
EXIT_TIME_LIMIT = 3
EXIT_BUSY = 4
EXIT_QUARANTINE = 5


class LmError(Exception):
    """A run failed or found a problem; the message says what to do."""

    exit_code = EXIT_PROBLEM


class ConfigurationError(LmError):
    """A setting is wrong or missing: the profile, a variable, an argument."""

    exit_code = EXIT_CONFIGURATION


class TimeLimitError(LmError):
    """The time limit of a run is reached; what is done is kept, and the next run goes on."""

    exit_code = EXIT_TIME_LIMIT


class BusyError(LmError):
    """The database is held by another run, or was lost: later it may do."""

    exit_code = EXIT_BUSY


class PassingError(BusyError):
    """dbt failed by nothing but trouble that passes: the next try may do."""
