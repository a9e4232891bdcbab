"""Who changed what, and what else people did: rows that the database itself writes, and that nobody can change."""
