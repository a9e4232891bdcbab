"""A Back Office that misbehaves on purpose, for people who build terminals, and reports which rules a terminal broke.

It needs no database and writes nothing to disk. Of the service it imports `backoffice.domain` alone, so that it reads
and judges an order exactly as the service does.
"""
