"""Give the roles what was added since: putting anchors that were not found on a block."""

from importlib import import_module

from django.db import migrations

make = import_module("exports.migrations.0009_roles_of_staff").make


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0010_roles_may_requeue"),
        ("anchors", "0014_list_unresolved_anchors"),
    ]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
