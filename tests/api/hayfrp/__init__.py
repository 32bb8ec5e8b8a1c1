"""Tests of HayFrp's client, session and provider."""
