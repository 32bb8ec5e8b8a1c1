"""EasyTier node managers in Home Assistant."""
