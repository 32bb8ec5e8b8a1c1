"""Tests of the services' side, without Home Assistant."""
