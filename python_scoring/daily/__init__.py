"""`lm run`, and what a scheduler needs of it: one run at a time, a time limit, retries."""
