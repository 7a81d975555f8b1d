"""WHETHER: knows frames only, and says which rows and deliveries may pass."""
