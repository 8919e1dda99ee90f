from __future__ import annotations

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "exports"

    def ready(self) -> None:
        from exports.look import PAPER_SIZES
        from exports.models import Export
        from exports.services import job_hooks
        from jobs import hooks

        hooks.JOB_ABORTED.append(job_hooks.abort_exports)
        hooks.CHOICES |= {"export_formats": Export.Format.values, "paper_sizes": PAPER_SIZES}
        hooks.FILE_REFERENCES.append(job_hooks.export_files)
