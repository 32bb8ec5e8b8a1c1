"""Snapshots of everything that registries, automations and stored files rely on.

One file for each provider; other kinds of entries and older versions of a service have files with
only the differing lines. ``pytest tests/test_contract.py --write-contract`` updates them.
"""
