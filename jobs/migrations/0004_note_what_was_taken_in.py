from __future__ import annotations

from django.db import migrations

# Until now a transcript or draft was read whenever it came: what the manifest shows has been taken in.
FORWARDS = """
UPDATE jobs_job SET taken_in = jsonb_strip_nulls(jsonb_build_object(
    'transcript', manifest -> 'transcript_uri', 'draft', manifest -> 'draft_uri'))
WHERE manifest ?| array['transcript_uri', 'draft_uri']
"""


class Migration(migrations.Migration):
    dependencies = [("jobs", "0003_dispatch_protocol_and_keys")]
    operations = [migrations.RunSQL(FORWARDS, migrations.RunSQL.noop)]
