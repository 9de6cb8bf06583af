"""A clinic whose true probabilities are known: its callers, operators and reviewers."""
