"""`lm demo`: everything on a simulated clinic."""
