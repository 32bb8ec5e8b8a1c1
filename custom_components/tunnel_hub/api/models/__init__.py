"""Resources by subject, and the payloads that create or change them."""
