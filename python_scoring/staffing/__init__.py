"""`lm staff`: how many operators the forecast needs by hour, and what a given roster achieves."""
