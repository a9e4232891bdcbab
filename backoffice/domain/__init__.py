"""The rules: orders as values, arithmetic, flags and holds, identity, posting, reconciliation.

Nothing here knows of Django, the clock, the network or chance: every function gives the same answer to the same
arguments for ever, so each is tested without a server. Time is passed in.
"""
