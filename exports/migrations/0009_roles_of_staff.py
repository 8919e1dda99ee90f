"""The groups support, operator and auditor. A later migration that adds permissions does the same once more."""

from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations

from exports.roles import APPS, make_roles


def make(apps, schema_editor):
    for app in apps.get_app_configs():
        if app.label in APPS:
            app.models_module = True  # of a state it is None, and create_permissions would pass over the app
            create_permissions(app, apps=apps, verbosity=0, using=schema_editor.connection.alias)
            app.models_module = None
    make_roles(apps.get_model("auth", "Permission").objects, apps.get_model("auth", "Group").objects)


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0008_permissions_of_actions"),
        ("anchors", "0011_hash_pixels"),
        ("instructions", "0004_plan_tasks_by_their_indexes"),
        ("jobs", "0009_read_content"),
        ("work", "0002_lanes"),
        ("accounts", "0003_permissions_of_actions"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
