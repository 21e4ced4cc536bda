"""Training a preset."""
