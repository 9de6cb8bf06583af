"""The pages of the documentation that follow from the seeds: metrics, KPIs, the overview."""
