"""Checks whether an address can be reached, and finds the first broken link if not.

Imports neither Home Assistant nor the tunnel services.
"""
