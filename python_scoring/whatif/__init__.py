"""What-if scenarios: what a change of traffic, people or conversion would do to the forecast."""
