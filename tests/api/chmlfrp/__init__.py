"""ChmlFrp, spoken to over real HTTP."""
