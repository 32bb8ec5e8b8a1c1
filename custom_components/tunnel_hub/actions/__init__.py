"""The actions, one module for each subject. services.py registers them."""
