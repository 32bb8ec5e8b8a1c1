"""Tests of EasyTier node managers."""
