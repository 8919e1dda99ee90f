"""Support and operators may have any work requeued."""

from importlib import import_module

from django.db import migrations

make = import_module("exports.migrations.0009_roles_of_staff").make


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0009_roles_of_staff"),
        ("work", "0003_permission_to_requeue"),
    ]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
