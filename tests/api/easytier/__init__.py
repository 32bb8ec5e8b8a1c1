"""The EasyTier node manager, in both of its dialects."""
