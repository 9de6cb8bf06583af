"""What a user can mend: shown as one line, without a traceback."""

from __future__ import annotations

# Exit codes of `lm`, for schedulers: see `lm --help`.
EXIT_OK = 0
EXIT_PROBLEM = 1
EXIT_CONFIGURATION = 2


class LmError(Exception):
    """A run failed or found a problem; the message says what to do."""

    exit_code = EXIT_PROBLEM


class ConfigurationError(LmError):
    """A setting is wrong or missing: the profile, a variable, an argument."""

    exit_code = EXIT_CONFIGURATION
