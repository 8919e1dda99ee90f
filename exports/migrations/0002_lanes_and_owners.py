import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def fill_owners(table):
    """A row's owner is its job's. Triggers are off meanwhile: they refuse every change of a finished export."""
    return [
        f"ALTER TABLE {table} DISABLE TRIGGER USER",
        f"UPDATE {table} SET owner_id = job.owner_id FROM jobs_job AS job WHERE job.id = {table}.job_id",
        # Else the check of the foreign key, which waits for the commit, would keep the table from being altered.
        "SET CONSTRAINTS ALL IMMEDIATE",
        f"ALTER TABLE {table} ENABLE TRIGGER USER",
    ]


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0001_initial"),
        ("jobs", "0003_lanes_and_owners"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="export", name="lane", field=models.CharField(default="exports", max_length=16)
        ),
        migrations.AddField(
            model_name="export", name="losses", field=models.PositiveSmallIntegerField(default=0)
        ),
        migrations.AddField(
            model_name="export",
            name="owner",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunSQL(fill_owners("exports_export"), migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="export",
            name="owner",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                condition=models.Q(("status", "REQUESTED")),
                fields=["lane", "owner", "available_at", "id"],
                name="export_claim",
            ),
        ),
    ]
