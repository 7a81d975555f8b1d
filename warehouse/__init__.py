"""WHAT WE HOLD: the only room that knows SQL."""
