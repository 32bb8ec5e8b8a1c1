"""The steps of the config flow, one module for each provider."""
