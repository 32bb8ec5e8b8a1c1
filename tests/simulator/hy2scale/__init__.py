"""Tests of the simulated HY2 SCALE node, over real HTTP on loopback."""
