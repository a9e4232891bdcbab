"""The books handed to other programs (docs/exports.md): profiles, revisions, runs and the files they write.

A run is decided first and written afterwards: what it holds is fixed by ranges of seal numbers before its first byte, so
that it can be interrupted, resumed and repeated, and is the same each time.
"""
