"""The only users of file libraries: files <-> plain values."""
