"""What a person sees and does, in a real browser with a real Home Assistant: scripts/test."""
