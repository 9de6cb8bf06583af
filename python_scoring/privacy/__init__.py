"""What a clinic owes its callers: erasure, and keys that can be changed."""
