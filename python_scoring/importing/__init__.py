"""`lm import`: a call log in a file becomes rows of call_history."""
