"""Whether a store's shifts are approved by themselves. A version that does not know it leaves both off."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fleet", "0009_retention")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", "SET LOCAL lock_timeout = '3s'"),
        migrations.AddField(
            model_name="store",
            name="approves_by_itself",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="A shift that adds up, its drawer within what the store tolerates, needs no person's approval.",
            ),
        ),
        migrations.AddField(
            model_name="store",
            name="flags_need_a_person",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Where the store approves by itself: a shift with flagged orders still needs a person's approval.",
            ),
        ),
    ]
