"""The gate in front of Django: what of a request is read, in which threads it is answered, and how its answer leaves."""
