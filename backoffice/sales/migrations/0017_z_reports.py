"""Z reports are kept: snapshots that are only ever added, and perpetual totals that go on from one to the next.

The version before lives with both: it adds none, and leaves `z_revision` as it is.
"""

import django.db.models.deletion
from django.db import migrations, models

GUARDS = """
CREATE FUNCTION sales_refuse_z_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %: a Z report stays as it was printed, a further revision may follow', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'z_reports_are_append_only';
END $$;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON sales_zreport FOR EACH STATEMENT EXECUTE FUNCTION sales_refuse_z_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON sales_zreport FOR EACH STATEMENT EXECUTE FUNCTION sales_refuse_z_change();

-- Who adds one holds the lock on its terminal, so that nobody adds another meanwhile.
CREATE FUNCTION sales_check_z() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last_place bigint;
    before record;
    same record;
BEGIN
    SELECT coalesce(max(place), 0) INTO last_place FROM sales_zreport WHERE terminal_id = NEW.terminal_id;
    SELECT total_sales, total_refunds INTO before FROM sales_zreport
        WHERE terminal_id = NEW.terminal_id AND currency = NEW.currency ORDER BY place DESC LIMIT 1;
    SELECT revision, sales, refunds INTO same FROM sales_zreport
        WHERE shift_id = NEW.shift_id ORDER BY revision DESC LIMIT 1;
    IF NEW.place <> last_place + 1 OR NEW.revision <> coalesce(same.revision, 0) + 1 THEN
        RAISE EXCEPTION 'Z % of terminal %: revision % at place % leaves a gap', NEW.z_number, NEW.terminal_id, NEW.revision, NEW.place
            USING ERRCODE = 'check_violation', CONSTRAINT = 'z_reports_have_no_gap';
    END IF;
    IF NEW.total_sales <> coalesce(before.total_sales, 0) + NEW.sales - coalesce(same.sales, 0)
        OR NEW.total_refunds <> coalesce(before.total_refunds, 0) + NEW.refunds - coalesce(same.refunds, 0) THEN
        RAISE EXCEPTION 'Z % of terminal %: the perpetual totals do not go on', NEW.z_number, NEW.terminal_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'z_totals_go_on';
    END IF;
    IF NOT EXISTS (
        SELECT FROM sales_shift WHERE shift_id = NEW.shift_id AND terminal_id = NEW.terminal_id AND z_number = NEW.z_number
    ) THEN
        RAISE EXCEPTION 'Z % of terminal % is of no shift of it', NEW.z_number, NEW.terminal_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'z_is_of_its_shift';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_z BEFORE INSERT ON sales_zreport FOR EACH ROW EXECUTE FUNCTION sales_check_z();
"""
NO_GUARDS = """
DROP TRIGGER check_z ON sales_zreport;
DROP TRIGGER refuse_change ON sales_zreport;
DROP TRIGGER refuse_truncate ON sales_zreport;
DROP FUNCTION sales_check_z();
DROP FUNCTION sales_refuse_z_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("fleet", "0007_second_person"),
        ("sales", "0016_what_is_decided"),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", migrations.RunSQL.noop),
        migrations.AddField(
            model_name="shift",
            name="z_revision",
            field=models.IntegerField(null=True, help_text="The newest of its Z; NULL where none was kept."),
        ),
        migrations.CreateModel(
            name="ZReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("z_number", models.BigIntegerField()),
                ("revision", models.IntegerField()),
                ("place", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("sales", models.BigIntegerField(help_text="Minor units, as the shift's figures have them.")),
                ("refunds", models.BigIntegerField(help_text="Minor units, 0 or below.")),
                ("total_sales", models.BigIntegerField(help_text="Perpetual: never reset.")),
                ("total_refunds", models.BigIntegerField()),
                ("head", models.JSONField(help_text="Store, terminal and shift, as they were called.")),
                ("figures", models.JSONField()),
                ("seal", models.TextField(null=True, help_text="The newest checkpoint of the books then.")),
                (
                    "before_id",
                    models.BigIntegerField(
                        help_text="Orders and entries of its terminal below this number were there."
                    ),
                ),
                ("made_at", models.DateTimeField()),
                (
                    "shift",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="z_reports", to="sales.shift"
                    ),
                ),
                (
                    "terminal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="fleet.terminal"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("shift", "revision"), name="one_z_per_revision"),
                    models.UniqueConstraint(fields=("terminal", "place"), name="one_z_per_place"),
                ],
            },
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
