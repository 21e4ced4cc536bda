"""Sound files: reading them whatever they are, writing them, their tags, and pipes."""
