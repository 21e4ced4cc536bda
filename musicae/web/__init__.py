"""The page of ``musicae play``: a server for this machine's browser, and what it computes."""
