"""The daily sign-in."""
