"""The acts, in the order in which they are played."""
