"""The workbench: what people run to develop, to integrate a terminal, or to try Back Office out.

It is a Django app of its own. The production image leaves it out (.dockerignore), and settings.py adds it only if it is
there; so nothing outside this folder may import it, which an import contract holds.

- `embedded/` runs the whole service on this machine with a private PostgreSQL and Valkey from plain wheels: one
  supervisor, one data folder, one log. Used by `manage.py up`, the demo and the tests.
- `simulator/` has shops, tills and customers that do not exist. They sell over HTTP through the terminal client alone,
  on bad lines, and know what the books should say. Used by `manage.py demo` and `manage.py simulate_terminals`.
- `conformance/` is a Back Office that misbehaves on purpose and reports which rules of the protocol a terminal broke:
  `manage.py conformance`. It needs no database and imports nothing of the service but its rules, `backoffice.domain`.
- `management/` has these four commands. The ones for production are in `backoffice/management/`.
"""
