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
        ("jobs", "0002_add_upload_tickets"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="dispatch", name="lane", field=models.CharField(default="control", max_length=16)
        ),
        migrations.AddField(
            model_name="dispatch", name="losses", field=models.PositiveSmallIntegerField(default=0)
        ),
        migrations.AddField(
            model_name="dispatch",
            name="owner",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="pipelinerun", name="lane", field=models.CharField(default="backfill", max_length=16)
        ),
        migrations.AddField(
            model_name="pipelinerun", name="losses", field=models.PositiveSmallIntegerField(default=0)
        ),
        migrations.AddField(
            model_name="pipelinerun",
            name="owner",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunSQL(fill_owners("jobs_dispatch"), migrations.RunSQL.noop),
        migrations.RunSQL(fill_owners("jobs_pipelinerun"), migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="dispatch",
            name="owner",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="dispatch",
            index=models.Index(
                condition=models.Q(("status", "PENDING")),
                fields=["lane", "owner", "available_at", "id"],
                name="dispatch_claim",
            ),
        ),
        migrations.AlterField(
            model_name="pipelinerun",
            name="owner",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="pipelinerun",
            index=models.Index(
                condition=models.Q(("status", "PENDING")),
                fields=["lane", "owner", "available_at", "id"],
                name="pipeline_run_claim",
            ),
        ),
    ]
