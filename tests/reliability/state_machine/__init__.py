"""Model-based tests: random sequences of events and actions, compared with expected states.

models.py lists the models. Each provider's model defines the changes at its service and the
expected states, computed from the simulator's state and never through our client.
"""
