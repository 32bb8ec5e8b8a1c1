"""Tests of frp's clients and providers."""
