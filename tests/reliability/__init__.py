"""What becomes of everything on bad days, for all providers alike; see docs/reliability.md."""
