"""Did anything get lost or doubled? A program of its own: `python -m tests.faults.check --journals DIR --database URL`.

It reads two things only: what the terminals wrote down of their own talk with Back Office, and what PostgreSQL holds. It
imports nothing of this project, not even of these tests (`test_checker.py` holds that), so that a mistake of ours cannot
hide itself. What it proves is in `books.py`; how the ledger must look is worked out anew in `expected.py`.
"""
