import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("work", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="worker",
            name="lanes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=16), default=list, size=None
            ),
        ),
        # The queues have other names now. The rows are the truth: the sweep enqueues them again.
        migrations.RunSQL("DELETE FROM dramatiq.queue", migrations.RunSQL.noop),
    ]
