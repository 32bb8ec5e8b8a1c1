"""Tests the checks of addresses over real sockets on loopback."""
