"""The wire: bytes of a terminal to typed values, and typed values to what it is answered (protocol §2)."""
