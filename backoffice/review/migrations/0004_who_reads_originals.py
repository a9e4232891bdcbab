"""Who may read what tills sent, as it is stored: those who look into things, and not everybody who may see an order."""

from django.db import migrations

from backoffice.books.roles import ADMINISTRATORS, AUDITORS, REVIEWERS, give_rights

RIGHT = ["inbox.view_original"]


class Migration(migrations.Migration):
    dependencies = [("review", "0003_saved_views"), ("inbox", "0004_originals_have_a_right")]

    operations = [give_rights({AUDITORS: RIGHT, REVIEWERS: RIGHT, ADMINISTRATORS: RIGHT})]
