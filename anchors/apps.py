from __future__ import annotations

from django.apps import AppConfig


class AnchorsConfig(AppConfig):
    name = "anchors"

    def ready(self) -> None:
        from anchors import queries
        from anchors.services import job_hooks
        from anchors.services.tickets import PICTURES
        from config.storage.uploads import TICKETS, Tickets
        from instructions import hooks as of_instructions
        from jobs import hooks

        hooks.JOB_STARTED += [job_hooks.watch_started, job_hooks.search_started]
        of_instructions.DRAFTED.append(job_hooks.picture_draft)
        hooks.JOB_ABORTED.append(job_hooks.abort_tasks)
        hooks.FILE_REFERENCES += [job_hooks.asset_files, PICTURES.files]
        hooks.KEPT_BYTES += [job_hooks.kept_assets, PICTURES.counted]
        TICKETS["pictures"] = Tickets(PICTURES.declared, PICTURES.naming)
        of_instructions.ANCHORS.append(queries.anchors_in_version)
