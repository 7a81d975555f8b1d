"""When: the only room that knows Prefect, the environment and the clock."""
