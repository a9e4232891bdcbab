"""What head office decided, and what was exported, is noted as well, and so is sealed with the trail."""

from django.db import migrations

from backoffice.trail.watching import watch_table


class Migration(migrations.Migration):
    dependencies = [("trail", "0001_trail"), ("books", "0003_import_cache"), ("exports", "0002_leaves_by_day")]

    operations = [
        watch_table("books_decision", about="decision", title=["verb", "subject"], store="store_id"),
        watch_table("books_decisionanswer", about="answer", key="decision_id", title=["answer"]),
        watch_table("books_cachefile", about="cache file", title=["id"], leave_out=["content"]),
        watch_table("exports_exportprofile", about="export profile", title=["name"]),
        watch_table("exports_exportmap", about="export map", title=["profile_id", "version"]),
        watch_table("exports_exportrun", about="export run", title=["profile_id", "number"], store="store_id"),
        watch_table("exports_exportrevision", about="export revision", title=["reference"], store="store_id"),
    ]
