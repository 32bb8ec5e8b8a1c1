"""What the integration costs, beside the least that the same answers can cost: scripts/bench."""
