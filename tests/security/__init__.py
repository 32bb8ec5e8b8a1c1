"""What services and users may not do to the house."""
