"""The handbook, rehearsed: `make rehearse` installs Back Office with compose as docs/operations.md says, and works with it.

A Docker Engine of its own runs in namespaces of its own, on base images that stand in for the real ones (`stand_ins/`). What
an operator would type is read from the handbook. docs/rehearsal.md says what this shows, and what it cannot.
"""
