"""Corruptions: what makes a task's input from its clean target, one file each."""
