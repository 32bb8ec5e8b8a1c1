"""Tests of the API clients and providers, without Home Assistant."""
