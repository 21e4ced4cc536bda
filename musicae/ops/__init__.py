"""The verbs, one a file, over any adapter's tensors."""
