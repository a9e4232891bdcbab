"""The audit trail beside the tables: settings that move money, decisions and exports stand as it last said, and nothing was
put into its past.
"""

from django.db.backends.utils import CursorWrapper

from backoffice.audit.findings import Findings
from backoffice.audit.sealed import MARK

# The last value that was noted of each column, beside the one that stands there. What is no column (a name in place of an
# id, a secret) says nothing here; of a row from before changes were noted, nothing is known until it changes.
SELECT_OTHERWISE = """
WITH said AS (
    SELECT DISTINCT ON (t.object_id, field) t.id, t.object_id, t.object_name, field, t.after -> field AS value
    FROM trail_entry t, jsonb_object_keys(t.after) AS field
    WHERE t.about = '{about}' AND t.what IN ('added', 'changed') ORDER BY t.object_id, field, t.id DESC
)
SELECT coalesce(s.code, ''), said.id, said.object_name, said.field, said.value #>> '{{}}', to_jsonb(r) ->> said.field
FROM said JOIN {table} r ON r.id::text = said.object_id LEFT JOIN fleet_store s ON s.id = r.{store}
WHERE said.field <> 'store_id' AND to_jsonb(r) -> said.field IS DISTINCT FROM said.value
ORDER BY said.id
"""
MOVES_MONEY = (
    ("store", "fleet_store", "id"),
    ("payment account", "ledger_paymentaccount", "store_id"),
    ("cash reason", "ledger_cashreason", "store_id"),
)

# What a change says was there before is what the one before it left: so what was in force when follows from the trail. An
# id that is told by a name may be called otherwise by now.
SELECT_INTERRUPTED = """
WITH noted AS (
    SELECT t.id, t.store_id, t.what, t.about, t.object_name, field, t.before ->> field AS was, lag(t.id) OVER earlier AS follows,
        lag(t.after ->> field) OVER earlier AS left_as
    FROM trail_entry t, jsonb_object_keys(coalesce(t.before, '{}') || coalesce(t.after, '{}')) AS field
    WHERE t.about = ANY(%s) AND t.what IN ('added', 'changed', 'removed') AND field <> 'store_id'
    WINDOW earlier AS (PARTITION BY t.about, t.object_id, field ORDER BY t.id)
)
SELECT coalesce(s.code, ''), n.id, n.what, n.about, n.object_name, n.field, n.left_as, n.was
FROM noted n LEFT JOIN fleet_store s ON s.id = n.store_id
WHERE n.follows IS NOT NULL AND n.was IS DISTINCT FROM n.left_as ORDER BY n.id
"""

# What is only ever added. Of a row from before it was noted nothing is known.
SELECT_KEPT = """
SELECT coalesce(s.code, ''), t.id, t.object_name, field, t.after ->> field, to_jsonb(r) ->> field, r.{key} IS NULL
FROM trail_entry t CROSS JOIN LATERAL jsonb_object_keys(t.after) AS field
LEFT JOIN {table} r ON r.{key}::text = t.object_id LEFT JOIN fleet_store s ON s.id = t.store_id
WHERE t.about = '{about}' AND t.what = 'added' AND (r.{key} IS NULL AND field = '{key}' OR to_jsonb(r) -> field <> t.after -> field)
ORDER BY t.id
"""
KEPT = (
    ("decision", "books_decision", "id"),
    ("answer", "books_decisionanswer", "decision_id"),
    ("cache file", "books_cachefile", "id"),
    ("export map", "exports_exportmap", "id"),
    ("export run", "exports_exportrun", "id"),
    ("export revision", "exports_exportrevision", "id"),
)

# As for entries: a mark that no transaction has reached says nothing until the sealer has noticed.
SELECT_ADDED = """
WITH {mark}
SELECT coalesce(s.code, ''), t.id, t.what, t.about, t.object_name FROM trail_entry t LEFT JOIN fleet_store s ON s.id = t.store_id
WHERE (t.xid, t.id) <= (SELECT xid, row_id FROM mark)
    AND NOT EXISTS (SELECT FROM evidence_leaf f WHERE f.kind = 'trail' AND f.row_id = t.id)
ORDER BY t.id
""".replace("{mark}", MARK).replace("{source}", "trail")  # nosec B608


def check_trail(cursor: CursorWrapper, findings: Findings) -> None:
    """Compares what was noted last with what stands, and looks for rows that came behind the seals."""
    for about, table, store in MOVES_MONEY:
        cursor.execute(SELECT_OTHERWISE.format(about=about, table=table, store=store))
        for code, row_id, name, field, said, stands in cursor.fetchall():
            where = f"{about} {name}, as audit trail {row_id} says"
            findings.add(code, where, field, expected=said, found=stands)
    cursor.execute(SELECT_INTERRUPTED, [[about for about, _, _ in MOVES_MONEY]])
    for code, row_id, what, about, name, field, left_as, was in cursor.fetchall():
        findings.add(
            code, f"audit trail {row_id} ({what} {about} {name})", f"{field} before", expected=left_as, found=was
        )
    for about, table, key in KEPT:
        cursor.execute(SELECT_KEPT.format(about=about, table=table, key=key))
        for code, row_id, name, field, said, stands, is_gone in cursor.fetchall():
            where = f"{about} {name}, as audit trail {row_id} says"
            findings.add(code, where, "is gone" if is_gone else field, expected=said, found=stands)
    cursor.execute(SELECT_ADDED)
    for code, row_id, what, about, name in cursor.fetchall():
        where = f"audit trail {row_id} ({what} {about} {name})"
        findings.add(code, where, "has no seal, and is older than the newest", expected="a seal", found=None)
