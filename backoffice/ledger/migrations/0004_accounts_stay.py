"""Journal lines name accounts without a foreign key, so an account can neither be deleted nor get another code."""

from django.db import migrations

GUARD = """
CREATE FUNCTION ledger_keep_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on ledger_account: an account that may stand in the books is kept, under its code', TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'accounts_stay';
END $$;
CREATE TRIGGER keep_account BEFORE DELETE OR UPDATE OF code ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_keep_account();
CREATE TRIGGER keep_accounts BEFORE TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_keep_account();
"""

DROP = """
DROP TRIGGER keep_account ON ledger_account;
DROP TRIGGER keep_accounts ON ledger_account;
DROP FUNCTION ledger_keep_account();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_default_chart")]

    operations = [migrations.RunSQL(GUARD, DROP)]
