"""One module for each kind of file: reading it into a tensor, and writing a tensor back."""
