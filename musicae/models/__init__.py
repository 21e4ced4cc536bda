"""Networks over ``(B, C, *S)``; they know nothing of files."""
