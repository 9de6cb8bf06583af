"""`lm compare-versions`: what a changed rule would change, before it is published."""
