"""Second factors are noted in the audit trail, and codes that were used are kept where no restart forgets them."""

from django.db import migrations

from backoffice.trail.watching import watch_table

# As Django's DatabaseCache expects it (`createcachetable`).
CACHE = """
CREATE TABLE django_cache (
    cache_key varchar(255) NOT NULL PRIMARY KEY,
    value text NOT NULL,
    expires timestamptz NOT NULL
);
CREATE INDEX django_cache_expires ON django_cache (expires);
"""
NO_CACHE = "DROP TABLE django_cache;"
USER = "SELECT username FROM auth_user WHERE id = $1::integer"


class Migration(migrations.Migration):
    dependencies = [
        ("trail", "0001_trail"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("usersessions", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(CACHE, NO_CACHE),
        # That there is one, of which kind, and since when; never its secret. That it was used is a login.
        watch_table(
            "mfa_authenticator",
            about="user",
            key="user_id",
            title=["user_id"],
            leave_out=["id", "user_id", "data", "created_at", "last_used_at"],
            names={"user_id": USER},
            what={"INSERT": "factor-added", "DELETE": "factor-removed"},
            on="INSERT OR DELETE",
        ),
    ]
