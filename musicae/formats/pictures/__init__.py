"""Picture files: their colours, numbers and metadata."""
