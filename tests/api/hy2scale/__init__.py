"""Tests of HY2 SCALE's client and provider."""
