"""The audit: the books derived once more from the bytes that terminals sent, and held against what is in the tables.

A second, small implementation of `protocol.md` §5 and the ledger's rules. It shares no code with the one that posts:
nothing of `backoffice.domain` or `backoffice.ingestion` may be imported here, and a test holds that.

Derived again, from `inbox_batch.body` and from nothing else:

- that the body is what its digest says, and which orders and cash movements it holds;
- for each of them: what it says, whether it could be posted at all (readable, within limits, sums right, line kinds
  known, payment methods mapped), and so every field, line, tax and payment of the posted row;
- its journal entry: accounts, sides, tax codes, drawer, store, currency, date; the absence of one where nothing posts;
- figures per shift and store, expected cash, over and short at each reconciliation, the amount of each opening;
- that a member which is neither posted nor held repeats, with equal content, one that is;
- that nothing else is in the tables: every order, movement, entry, version and held item has its place in the bytes.

Taken on trust, because there is nothing to derive it from or it would be the whole validator again:

- that what the tables call held or in conflict is rightly so (it is in no book; that it came from the bytes, once, is
  checked), and the flags of what is posted;
- that a version which `sales_identity` calls the first was; entry and row numbers tell the order of processing;
- shifts as they were opened and declared: their messages are kept as columns, not as bytes; the business date;
- of a month that was detached: everything, and what its last shifts left in their drawers;
- the mapping of payment methods and cash reasons to accounts: today's, since no older one is kept.
"""
