"""The Python side of operabot-lm: the `lm` command and what stands behind it."""
