"""Give the roles what was added since: looking at refused callbacks."""

from importlib import import_module

from django.db import migrations

make = import_module("exports.migrations.0009_roles_of_staff").make


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0011_roles_place_anchors"),
        ("jobs", "0011_keep_refused_callbacks"),
    ]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
