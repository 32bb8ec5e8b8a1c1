"""Tests of ChmlFrp's client and provider."""
