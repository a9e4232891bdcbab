"""Who is bound to stores, and the roles of the console. Groups of these names that are there get the rights as well."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from backoffice.books.roles import ADMINISTRATORS, AUDITORS, FLEET_MANAGERS, REVIEWERS, STORE_MANAGERS, give_rights
from backoffice.trail.watching import watch_table

USER = "SELECT username FROM auth_user WHERE id = $1::integer"
STORE = "SELECT code FROM fleet_store WHERE id = $1::integer"

FLEET = ["fleet.view_store", "fleet.view_terminal", "inbox.view_batch"]
SOLD = ["sales.view_order", "sales.view_shift", "sales.view_helditem", "books.view_decision"]
BOOKS = ["ledger.view_journalentry", "ledger.view_account", "exports.view_exportjob"]
DECIDING = ["books.decide_held", "books.decide_order", "books.decide_shift", "books.decide_period"]
IN_STORES = ["books.decide_numbers", "books.decide_safe"]
SETTINGS = ["fleet.add_store", "fleet.change_store", "fleet.add_terminal", "fleet.change_terminal"]
READING = [*FLEET, *SOLD, *BOOKS, "trail.view_trailentry"]
RIGHTS = {
    AUDITORS: [*READING, "auth.view_user"],
    REVIEWERS: [*READING, *DECIDING, *IN_STORES, "exports.run_export"],
    FLEET_MANAGERS: [*FLEET, *SETTINGS, "books.view_decision", "books.decide_terminal"],
    STORE_MANAGERS: [*FLEET, *SOLD, *BOOKS, *IN_STORES, "books.own_stores_only"],
    ADMINISTRATORS: [
        *READING,
        *DECIDING,
        *IN_STORES,
        *SETTINGS,
        "books.decide_terminal",
        "books.administer_people",
        "exports.run_export",
        "ledger.change_account",
        "auth.view_user",
        "auth.add_user",
        "auth.change_user",
    ],
}


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("fleet", "0010_store_days"),
        ("inbox", "0003_card_flags"),
        ("sales", "0017_z_reports"),
        ("ledger", "0008_locked_periods"),
        ("exports", "0002_leaves_by_day"),
        ("trail", "0002_decisions_and_exports"),
        ("books", "0003_import_cache"),
    ]

    operations = [
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="membership",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("stores", models.ManyToManyField(blank=True, related_name="+", to="fleet.store")),
            ],
            options={
                "permissions": [
                    ("own_stores_only", "Sees their own stores only, and none until some are given"),
                    ("administer_people", "Can give every role and every store"),
                ],
            },
        ),
        watch_table(
            "books_membership",
            about="user",
            key="person_id",
            title=["person_id"],
            names={"person_id": USER},
            what={"INSERT": "bound", "DELETE": "unbound"},
            on="INSERT OR DELETE",
        ),
        watch_table(
            "books_membership_stores",
            about="user",
            key="membership_id",
            title=["membership_id"],
            store="store_id",
            leave_out=["id", "membership_id"],
            names={"membership_id": USER, "store_id": STORE},
            what={"INSERT": "given", "DELETE": "taken"},
        ),
        give_rights(RIGHTS),
    ]
