"""Pure functions and distributions of tensors; they know no files and no networks."""
