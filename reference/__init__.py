"""Writes the tables in the README and the pages under docs/ out of the integration's own tables."""
