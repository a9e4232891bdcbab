"""A close moves what does not stay in the drawer to the safe: a source of entries of its own.

The new check is made without a look at the rows, which are many, and looks at them under a lock that nobody waits for.
"""

from django.db import migrations

KINDS = "'order', 'movement', 'opening', 'over_short'"
REPLACE = """
SET LOCAL lock_timeout = '3s';
ALTER TABLE ledger_entrysource DROP CONSTRAINT entry_source_kind_known,
    ADD CONSTRAINT entry_source_kind_known CHECK (source_kind IN ({kinds})) NOT VALID
"""
VALIDATE = "ALTER TABLE ledger_entrysource VALIDATE CONSTRAINT entry_source_kind_known"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("ledger", "0005_months_join_and_leave")]

    operations = [
        migrations.RunSQL(
            "BEGIN;" + REPLACE.format(kinds=f"{KINDS}, 'closing'") + "; COMMIT",
            # Entries of closes stay: the check of before is for what is written from now on.
            "BEGIN;" + REPLACE.format(kinds=KINDS) + "; COMMIT",
        ),
        migrations.RunSQL(VALIDATE, migrations.RunSQL.noop),
    ]
