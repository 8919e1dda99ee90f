from __future__ import annotations

from django.db import migrations
from dramatiq_postgres import schema


def make_tables(apps, schema_editor):
    """The queue of the default broker, beside our rows; made also where another broker is used, and unused there."""
    with schema_editor.connection.cursor() as cursor:
        schema.init(cursor)


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]
    operations = [migrations.RunPython(make_tables, migrations.RunPython.noop)]
