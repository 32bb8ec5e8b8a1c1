"""Generates the tables in docs/ from the integration's own tables."""
