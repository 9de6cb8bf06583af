"""`lm shell`: ask the database in SQL."""
