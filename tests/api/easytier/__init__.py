"""Tests of the EasyTier node manager's client and provider, in both dialects."""
