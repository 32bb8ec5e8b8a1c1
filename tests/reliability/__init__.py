"""Tests all providers against faulty services; see docs/reliability.md."""
