"""frp: what may happen there, and what Home Assistant should show of it."""

MODELS = ()
