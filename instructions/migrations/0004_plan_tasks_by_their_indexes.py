"""Lists of tasks are planned by their own index, not by the primary key.

As for other tables whose ids are in order of time (`anchors`, 0007): by its statistics PostgreSQL would read along the
primary key and pass over all others to find the tasks of one status, the whole table where those are old.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("instructions", "0003_record_step_sources")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE instructions_regeneratetask ALTER COLUMN id SET STATISTICS 0",
            "ALTER TABLE instructions_regeneratetask ALTER COLUMN id SET STATISTICS -1",
        )
    ]
