"""Tests of the checks from outside, over real sockets on loopback."""
