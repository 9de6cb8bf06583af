"""What a scheduler needs of `lm run`: one run at a time, a time limit, retries. See README.md."""
