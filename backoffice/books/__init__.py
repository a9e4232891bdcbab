"""Where head office decides (docs/decisions.md), and where the books are sealed (`evidence`).

What is decided is posted by the same functions as an upload.
"""
