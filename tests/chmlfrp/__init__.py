"""ChmlFrp in Home Assistant."""
