"""Tests the frontend in a real browser with a real Home Assistant: scripts/test."""
