"""`lm report`: the manager's page, from the marts alone."""
