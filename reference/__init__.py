"""Generates the tables in the pages under docs/ from the integration's own tables."""
