"""Why nothing is exported, in words."""


class NotExported(Exception):
    """Nothing was written and nothing counts as sent."""
