"""`lm train` and `lm score`: the probability models and the database."""
