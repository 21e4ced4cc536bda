"""Attributes of windows: one file for each."""
