"""The company's chart of accounts to start with. Head office may rename accounts and add others."""

from django.db import migrations

CHART = [
    ("1000", "Cash in drawer", "debit"),
    ("1010", "Safe", "debit"),
    ("1100", "Card clearing", "debit"),
    ("1110", "Bank transfers receivable", "debit"),
    ("1300", "Customers on account", "debit"),
    ("1990", "Suspense", "either"),
    ("2100", "Tax payable", "credit"),
    ("2200", "Gift cards and vouchers outstanding", "credit"),
    ("2210", "Loyalty points outstanding", "credit"),
    ("2300", "Tips payable", "credit"),
    ("2400", "Customer deposits", "credit"),
    ("2410", "Container deposits", "credit"),
    ("2420", "Donations", "credit"),
    ("4000", "Sales", "credit"),
    ("4010", "Service charges", "credit"),
    ("4100", "Discounts given", "debit"),
    ("4200", "Sales returns", "debit"),
    ("4900", "Rounding differences", "either"),
    ("6900", "Cash over and short", "either"),
]


def create_chart(apps, schema_editor):
    account = apps.get_model("ledger", "Account")
    account.objects.bulk_create(
        [account(code=code, name=name, normal_side=side) for code, name, side in CHART], ignore_conflicts=True
    )


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_partitioned_tables")]

    operations = [migrations.RunPython(create_chart, migrations.RunPython.noop)]
