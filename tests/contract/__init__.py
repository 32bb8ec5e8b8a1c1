"""What must stay as it is, because registries, automations and stored files rely on it.

One file for each provider, and one for each other kind of entry or generation of a service with
only the lines that differ. ``pytest tests/test_contract.py --write-contract`` writes them again.
"""
