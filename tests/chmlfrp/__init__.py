"""Tests of ChmlFrp."""
