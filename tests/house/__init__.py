"""The house's own rules, where no tool knows them: `python -m tests.house`, a step of `make check`.

Each rule looks at source alone, so no server is needed. An exception is a row of `exceptions.toml`, with its reason; one
that is no longer needed fails the check as well.
"""
