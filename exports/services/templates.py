"""Change how the guides of a project look."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from rest_framework.exceptions import ErrorDetail, ValidationError

from anchors.models import Asset, ImageUpload
from anchors.services.uploads import MAX_BYTES, first_asset
from config import sandbox
from config.accounts.models import User
from config.api import errors
from config.api.ownership import parse_id
from config.storage import read_bytes
from exports.logos import Logo, LogoRefused, make_logo
from exports.look import ACCENT, Look
from exports.models import GuideTemplate
from jobs.models import Project


def template_of(project: Project) -> GuideTemplate:
    """Return the template of a project, not saved when it has none yet."""
    return GuideTemplate.objects.filter(pk=project.pk).first() or GuideTemplate(project=project)


def looks_of(project_ids: Collection[UUID]) -> dict[UUID, Look]:
    """Return how a guide of each of these projects looks."""
    templates = GuideTemplate.objects.filter(pk__in=project_ids)
    return dict.fromkeys(project_ids, Look()) | {template.pk: template.look for template in templates}


def look_of(project_id: UUID, paper_size: str | None) -> Look:
    """Return how a guide of this project looks, on the paper that is asked for if one is."""
    look = looks_of([project_id])[project_id]
    return Look(paper_size or look.paper_size, look.accent_color, look.footer, look.logo_png)


def change_template(*, project: Project, user: User, changes: Mapping[str, Any]) -> GuideTemplate:
    """Change what is named, and leave the rest; None takes back the default. Exports from now on look so.

    `logo_upload_id` is a confirmed upload of a picture of any job of the project. Raise 400 for one that is not, or
    whose picture serves for no logo.
    """
    changes = dict(changes)
    if "logo_upload_id" in changes:
        logo = _read_logo(project, user, changes.pop("logo_upload_id"))
        changes |= {"logo": logo.content, "logo_width": logo.width, "logo_height": logo.height}
    if changes.get("accent_color") == ACCENT:
        changes["accent_color"] = None
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        template = template_of(project)
        default = GuideTemplate()
        for name, value in changes.items():
            setattr(template, name, getattr(default, name) if value is None else value)
        template.save()
    return template


def _read_logo(project: Project, user: User, upload_id: str | None) -> Logo:
    if upload_id is None:
        return Logo(b"", 0, 0)
    uploads = ImageUpload.objects.visible_to(user).filter(job__project=project)
    upload = uploads.filter(pk=parse_id(upload_id)).first()
    asset = first_asset(upload) if upload else None
    if asset is None:
        raise _refused("This is no confirmed upload of a picture of this project's jobs.", "unknown_upload")
    try:
        return sandbox.call(
            make_logo,
            _content(asset),
            limits=sandbox.limits.PICTURE,
            returns=(Logo,),
            raises=(LogoRefused,),
        )
    except LogoRefused as error:
        raise _refused(str(error), "not_a_logo") from error
    except sandbox.SandboxError as error:
        if error.may_pass:
            raise errors.unavailable("The picture could not be looked at now.") from error
        raise _refused(error.message, "not_a_logo") from error


def _content(asset: Asset) -> bytes:
    try:
        return read_bytes(asset.uri, limit=MAX_BYTES)
    except FileNotFoundError as error:
        raise _refused("The file of this picture is gone.", "unknown_upload") from error


def _refused(message: str, code: str) -> ValidationError:
    return ValidationError({"logo_upload_id": [ErrorDetail(message, code)]})
