"""Measures the costs of the integration, and the minimum for the same answers: scripts/bench."""
