"""Custom integrations of this repository, importable so that Home Assistant's loader finds them."""
