"""Evidence: what is in the books is sealed, so that nobody can change it unnoticed, the operator included.

In the order in which it is best read: `sources` (what can be sealed, and when it is closed), `sealer` (numbers, trees, one
transaction), `checkpoints` (the signed head), `stamping` (its time stamp), `proofs` (one receipt), `rollup` and `balance` (figures kept by the sealer).
How records become leaves is in `backoffice.domain.evidence`; the audit reads all of it a second time by itself.
"""
