"""The models that were trained: their rows in lm_model_run, and their files."""
