"""HY2 SCALE in Home Assistant."""
