"""Measures how well the tests detect changes: see __main__.py."""
