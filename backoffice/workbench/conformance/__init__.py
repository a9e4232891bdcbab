"""A Back Office that misbehaves on purpose, for people who build terminals, and tells which rules a terminal broke.

It keeps nothing on a disk and needs no database. It imports `backoffice.domain` and nothing else of the service: what
it takes for an order is what the service takes for one.
"""
