"""Card data: found, and taken out of a message before anything else sees it (protocol §7)."""
