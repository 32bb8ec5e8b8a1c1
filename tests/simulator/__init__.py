"""Tests of the simulated services, over real HTTP on loopback."""
