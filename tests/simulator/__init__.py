"""Tests the simulator over HTTP on loopback."""
