"""Tests protection against malicious services and users."""
