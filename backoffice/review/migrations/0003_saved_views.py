"""The filters of lists that people keep under a name."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from backoffice.books.roles import ADMINISTRATORS, FLEET_MANAGERS, REVIEWERS, give_rights


class Migration(migrations.Migration):
    dependencies = [
        ("review", "0002_roles_and_alerts"),
        ("fleet", "0011_terminals_by_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", "SET LOCAL lock_timeout = '3s'"),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(help_text="The list: the name of its model.", max_length=60)),
                ("name", models.CharField(max_length=60)),
                (
                    "query",
                    models.CharField(blank=True, help_text="As in the address; sorted by name.", max_length=1000),
                ),
                ("is_shared", models.BooleanField(default=False)),
                ("made_at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="fleet.store"
                    ),
                ),
            ],
            options={
                "permissions": [("share_savedview", "Can share saved views of lists with everybody")],
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["kind"], condition=Q(is_shared=True), name="review_shared_views"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("person", "kind", "name"), name="one_view_of_a_name"),
                ],
            },
        ),
        give_rights({role: ["review.share_savedview"] for role in (REVIEWERS, FLEET_MANAGERS, ADMINISTRATORS)}),
    ]
