"""Model-based tests: any sequence of what may happen, against what Home Assistant must show then.

models.py lists the services; each has a module of its own that says what may change there, and what
Home Assistant should show, read from the service's state and never through our client.
"""
