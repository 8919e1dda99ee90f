"""PostgreSQL counts how many of the failed jobs have each failure code, to plan the admin's filter by it.

Without, it takes every code for rare, and reads all jobs of it to count the first thousand.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("jobs", "0009_read_content")]
    operations = [
        migrations.RunSQL(
            "CREATE STATISTICS failure_codes_of_jobs"
            " ON status, (jsonb_extract_path_text(failure, 'failure_code')) FROM jobs_job",
            "DROP STATISTICS failure_codes_of_jobs",
        )
    ]
