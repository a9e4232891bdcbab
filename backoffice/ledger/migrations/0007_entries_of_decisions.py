"""Entries that head office makes: an order voided or its payment corrected, and the safe, which is of no terminal or shift.

The new check is made without a look at the rows, which are many, and looks at them under a lock that nobody waits for.
"""

from django.db import migrations

KINDS = "'order', 'movement', 'opening', 'over_short', 'closing'"
REPLACE = """
SET LOCAL lock_timeout = '3s';
ALTER TABLE ledger_entrysource DROP CONSTRAINT entry_source_kind_known,
    ADD CONSTRAINT entry_source_kind_known CHECK (source_kind IN ({kinds})) NOT VALID
"""
ADD_ACCOUNT = """
INSERT INTO ledger_account (code, name, normal_side) VALUES ('1020', 'Cash on its way to the bank', 'debit')
ON CONFLICT (code) DO NOTHING
"""
# Of the store alone. Every partition follows its parent.
NO_SHIFT = """
BEGIN;
SET LOCAL lock_timeout = '3s';
ALTER TABLE ledger_journalentry ALTER COLUMN terminal_id DROP NOT NULL, ALTER COLUMN shift_id DROP NOT NULL;
COMMIT
"""
VALIDATE = "ALTER TABLE ledger_entrysource VALIDATE CONSTRAINT entry_source_kind_known"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("ledger", "0006_closing_entries")]

    operations = [
        migrations.RunSQL(
            "BEGIN;" + REPLACE.format(kinds=f"{KINDS}, 'void', 'retender', 'safe'") + "; COMMIT",
            # Entries of decisions stay: the check of before is for what is written from now on.
            "BEGIN;" + REPLACE.format(kinds=KINDS) + "; COMMIT",
        ),
        migrations.RunSQL(VALIDATE, migrations.RunSQL.noop),
        # An account that may stand in the books is kept, and entries without a shift are as well.
        migrations.RunSQL(ADD_ACCOUNT, migrations.RunSQL.noop),
        migrations.RunSQL(NO_SHIFT, migrations.RunSQL.noop),
    ]
