"""Tests of frp."""
