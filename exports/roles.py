"""The roles of staff: groups that migrations make, and which permissions each has.

    support    looks, retries, cancels and has things done again, and reads content for a reason
    operator   all but users: support, and what ends or takes something away
    auditor    looks, and sees no content

Who may use the admin at all, and who is in which group, is said on the page of a user, which is a superuser's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

SUPPORT, OPERATOR, AUDITOR = "support", "operator", "auditor"
ROLES = (SUPPORT, OPERATOR, AUDITOR)
APPS = ("accounts", "work", "jobs", "instructions", "anchors", "exports")

# Every row of these apps may be looked at in each role (`view_…`), but those of CONTENT by an auditor. The pages of
# jobs and documents show a transcript or a text only to those with `jobs.read_content`.
CONTENT = frozenset(
    {
        "jobs.view_transcriptsegment",  # what was said
        "jobs.view_screenevent",  # what was shown and typed
        "anchors.view_asset",  # the picture
    }
)
# What changes or shows something. What no role has is a superuser's, as are users and making tokens: whoever has one
# acts as its user.
SUPERUSER_ONLY: tuple[str, ...] = ()
ACTIONS: dict[str, tuple[str, ...]] = {
    "jobs.read_content": (SUPPORT, OPERATOR),
    "jobs.retry_any_job": (SUPPORT, OPERATOR),
    "jobs.dispatch_any_job": (SUPPORT, OPERATOR),
    "jobs.cancel_any_job": (SUPPORT, OPERATOR),
    "jobs.fail_any_job": (OPERATOR,),
    "work.requeue_any_work": (SUPPORT, OPERATOR),
    "anchors.place_any_anchor": (SUPPORT, OPERATOR),
    "exports.render_any_export": (SUPPORT, OPERATOR),
    "exports.verify_any_export": (SUPPORT, OPERATOR),
    "accounts.revoke_any_apitoken": (OPERATOR,),
    "accounts.switch_any_user": SUPERUSER_ONLY,
}


def has(role: str, permission: str) -> bool:
    """Return whether a role has a permission, such as `jobs.view_job`."""
    app, _, name = permission.partition(".")
    if app in APPS and name.startswith("view_"):
        return role != AUDITOR or permission not in CONTENT
    return role in ACTIONS.get(permission, ())


def of_role(role: str, permissions: Iterable[str]) -> set[str]:
    return {permission for permission in permissions if has(role, permission)}


def make_roles(permissions: Any, groups: Any) -> None:
    """Give each role its group with all of its permissions that there are; called again, only what is missing.

    What a superuser has given to a group beside stays. `permissions` and `groups` are managers of django.contrib.auth,
    in a migration those of its state.
    """
    known = {
        f"{each.content_type.app_label}.{each.codename}": each
        for each in permissions.select_related("content_type")
    }
    for role in ROLES:
        group, _ = groups.get_or_create(name=role)
        group.permissions.add(*(known[name] for name in of_role(role, known)))
