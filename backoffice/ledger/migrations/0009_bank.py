"""The bank: what it has of the cash that was on its way, and where change comes from."""

from django.db import migrations

CHART = [("1030", "Bank", "debit")]
ADD_ACCOUNT = """
INSERT INTO ledger_account (code, name, normal_side) VALUES (%s, %s, %s) ON CONFLICT (code) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0008_locked_periods")]

    # An account that may stand in the books is kept.
    operations = [migrations.RunSQL([(ADD_ACCOUNT, row) for row in CHART], migrations.RunSQL.noop)]
