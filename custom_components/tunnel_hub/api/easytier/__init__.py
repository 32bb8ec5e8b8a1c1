"""EasyTier node managers: self-hosted directories of relay nodes (easytier-worker)."""
