"""The audit: derives the books again from the bytes that terminals sent, and compares them with the tables.

It is a second, small implementation of protocol §5 and the ledger's rules, and shares no code with the first: nothing
from `backoffice.domain` or `backoffice.ingestion` may be imported here, and a test holds that. Its `Order`, `Line`,
`Payment`, `Tax`, `Entry`, `read_order` and `read_movement` have the names of the first on purpose: they are the same
notions, worked out a second time.

Derived again, from `inbox_batch.body` alone:

- that the body matches its digest, and which orders and cash movements it holds;
- for each of them: what it says, whether it could be posted at all (readable, within limits, sums and signs right, kinds
  of lines and taxes known, payment methods mapped), and so every field, line, tax and payment of the posted row;
- its journal entry: accounts, sides, tax codes, drawer, store, currency, date; or that it has none;
- which dates were locked when, from the decisions: no entry stands in a period that was locked when it was posted, and every
  lock is somebody's decision. Before and after are told by the numbers of entries and locks, which are one sequence;
- figures per shift and store, expected cash, over and short at each reconciliation, what each count moved to the safe,
  what each opening moved and left apart (`drawer_at_opening`), and that Z numbers have no gap;
- every kept Z: that none is missing, that its figures agree with each other and with the orders that were posted then, the
  newest with all that the bytes say of its shift, also of what was offline, voided, in training, given back without an
  original, or is held; and that the perpetual totals of a terminal go on from one to the next;
- the figures that are kept for reports, from the orders of their days;
- what head office posted: that its bytes are those that were held, or what the decision says; orders voided and payments
  corrected, with their entries; what its safes moved;
- that each cache file that was taken in is as it was agreed to, and that all of it is in the inbox;
- that every decision has its effect, and that nothing stands as decided that no decision led to;
- that a member that is neither posted nor held repeats one that is, with equal content;
- every leaf of what is sealed, from the rows as they are today, the trees above them, the signed heads, and an anchor among
  them; that nothing older than the newest seal is without one; daily balances;
- that the tables hold nothing else: every order, movement, entry, version and held item comes from the bytes.

Taken on trust, because there is nothing to derive it from or it would take the whole validator again:

- that what the tables call held or in conflict is rightly so, and the flags of what is posted. (That a held item came
  from the bytes, once, is checked; it is not in the books.)
- that the version which `sales_identity` calls the first was the first. Entry and row numbers give the order of
  processing;
- that `sales_identity` has no `hash_version` only where an order was decided before orders adjusted others: such an order
  is judged by the rules of its day, and whatever stands in fields that were unknown then is passed over (ADR 27);
- shifts as they were opened, declared and flagged, and their business date, the corrected time of their opening, the
  numbers that they carry over and the `max_over_short` of their close: the messages are kept as columns, not as bytes;
- of a Z, what no sum comes to in a revision before the newest, and in all of them what was late, explained, or named an order
  that the books did not have then;
- head office's last count. Those between it and the close are not kept: what went with them is in their entries alone;
- that an earlier shift waited when an opening left something to it, if the times allow it; and that none did when it left
  nothing, unless the shift never settled, is not counted, or has a number that was taken after the opening;
- that the public keys in `evidence_verifierkey` are the operator's: an auditor compares them with what was handed over;
- that a cache file was signed by its terminal: the file is not kept, since it may hold card data, only what was taken of it;
- decisions themselves, with what was typed into them, and what a count of a safe found in its account;
- for a detached month: everything, its leaves but not its roots, including what its last shifts left in their drawers and
  what is kept of it for reports;
- the mapping of payment methods and cash reasons to accounts as the audit trail has it for the time of each entry; within a
  minute of a change either mapping is right.
"""
