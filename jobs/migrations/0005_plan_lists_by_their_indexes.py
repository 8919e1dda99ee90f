"""Lists are planned by their own indexes, not by the primary key.

Ids are in order of time, and so are the rows of a table: by its statistics, PostgreSQL takes reading along the primary
key for so cheap that it passes over the rows of all others to find those of one owner, status or kind. Where these are
old, that is the whole table. Without statistics of the ids it counts a block for each row, and takes the index that
has only those that are asked for. A database that was analysed before keeps the statistics that it has, and so the plans
of before, until it is dumped and restored.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("jobs", "0004_index_lists_and_sweeps")]
    operations = [
        migrations.RunSQL(
            f"ALTER TABLE {table} ALTER COLUMN id SET STATISTICS 0",
            f"ALTER TABLE {table} ALTER COLUMN id SET STATISTICS -1",
        )
        for table in ("jobs_job",)
    ]
