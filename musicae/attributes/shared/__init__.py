"""Shared by the attributes."""
