"""Tags, covers and markers of sound files: kept as they lie where the format stays, mapped where it changes."""
