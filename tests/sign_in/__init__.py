"""Tests the daily sign-in."""
