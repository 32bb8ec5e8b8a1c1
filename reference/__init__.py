"""Writes the tables in the pages under docs/ out of the integration's own tables."""
