"""Named data sets. Each is a function ``(adapter, split, folder, **settings) -> Windows``."""
