"""HY2 SCALE without Home Assistant."""
