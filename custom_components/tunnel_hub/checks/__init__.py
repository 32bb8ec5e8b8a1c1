"""Checks whether an address can be reached, and names the first broken link if not.

Knows nothing of Home Assistant, nor of the tunnel services.
"""
