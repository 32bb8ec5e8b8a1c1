"""How well the tests watch: see __main__.py."""
