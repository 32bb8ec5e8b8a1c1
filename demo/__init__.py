"""Runs Home Assistant with accounts at simulated services: to try, to check and for screenshots."""
