"""Say in the row of a user since when there is a second factor; of those that are there, since now."""

from typing import Any

from django.db import migrations, models
from django.db.models.functions import Now


def note(apps: Any, schema_editor: Any) -> None:
    devices = apps.get_model("otp_totp", "TOTPDevice").objects.filter(confirmed=True)
    users = apps.get_model("accounts", "User").objects.filter(pk__in=devices.values("user_id"))
    users.update(second_factor_at=Now())


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_permissions_of_actions"),
        ("otp_totp", "0003_add_timestamps"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="second_factor_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="second factor since"),
        ),
        migrations.RunPython(note, migrations.RunPython.noop),
    ]
