"""What a person would name, by subject: what is read of it, and what is sent to change it."""
