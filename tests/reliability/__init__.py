"""All providers while services misbehave; see docs/reliability.md."""
