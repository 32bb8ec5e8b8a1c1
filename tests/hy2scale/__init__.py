"""Tests of HY2 SCALE."""
