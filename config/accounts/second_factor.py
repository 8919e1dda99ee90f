"""The second factor of staff: a code of an authenticator app (TOTP, RFC 6238), or one of ten recovery codes.

django-otp keeps the secrets, takes each code once, and lets one who fails wait for longer after each time. Who has set
one up is asked for it in each session of the admin, by password or by the proxy, also in those that were open before;
where it is required, everybody is. `User.second_factor_at` says who has one, so that no request looks it up.
"""

from __future__ import annotations

import logging
from base64 import b32encode
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import segno
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django_otp import login, verify_token
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.accounts.models import User

log = logging.getLogger(__name__)

ADMIN, PAGE = "/admin/", "/admin/second-factor/"
WITHOUT = (PAGE, "/admin/login/", "/admin/logout/")
RECOVERY_CODES = 10


class SecondFactorMiddleware:
    """Leads staff to the page of the second factor, before any other of the admin, where it is to be asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if (
            request.path_info.startswith(ADMIN)
            and not request.path_info.startswith(WITHOUT)
            and is_asked(request)
        ):
            return HttpResponseRedirect(f"{PAGE}?{urlencode({'next': request.get_full_path()})}")
        return self.get_response(request)


def is_asked(request: HttpRequest) -> bool:
    """Return whether who is signed in has to give a code, or to set a second factor up, before anything else."""
    user: Any = request.user
    if not user.is_active or not user.is_staff or user.is_verified():
        return False
    return bool(settings.ADMIN_SECOND_FACTOR_IS_REQUIRED) or has_second_factor(user)


def has_second_factor(user: Any) -> bool:
    return bool(user.second_factor_at)


def begin_set_up(user: Any) -> TOTPDevice:
    """Return the device that is being set up, with the same secret until a code of it has come."""
    device, _ = TOTPDevice.objects.get_or_create(user_id=user.pk, confirmed=False, defaults={"name": "app"})
    return device


def secret_of(device: TOTPDevice) -> str:
    """Return the secret as an app takes it typed."""
    return b32encode(device.bin_key).decode()


def picture_of(device: TOTPDevice) -> str:
    """Return the QR code that an app scans, as a data URL of an SVG with a white ground."""
    code = segno.make(device.config_url, micro=False, error="m")
    return str(code.svg_data_uri(scale=5, border=4, dark="#000", light="#fff"))


def finish_set_up(request: HttpRequest, code: str) -> list[str] | None:
    """Take the first code of an app into use; return new recovery codes, or None if the code is wrong."""
    device = begin_set_up(request.user)
    with transaction.atomic():
        locked_user = User.objects.select_for_update().get(pk=device.user_id)
        if has_second_factor(locked_user) or not verify_token(request.user, device.persistent_id, code):
            return None
        TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
        User.objects.filter(pk=locked_user.pk).update(second_factor_at=Now())
        codes = _new_codes(locked_user)
    login(request, TOTPDevice.objects.get(pk=device.pk))
    log.info("second factor set up for user %s", request.user.pk)
    return codes


def renew_recovery_codes(user: Any) -> list[str]:
    """Return new recovery codes; the former ones are of no use any more."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        return _new_codes(user)


def _new_codes(user: Any) -> list[str]:
    StaticDevice.objects.filter(user_id=user.pk).delete()
    device = StaticDevice.objects.create(user_id=user.pk, name="recovery", confirmed=True)
    codes = [StaticToken.random_token() + StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes


def check_code(request: HttpRequest, code: str) -> bool:
    """Let the session of who is signed in go on, if this is a code of the app or a recovery code."""
    is_of_app = code.isascii() and code.isdigit()
    model = TOTPDevice if is_of_app else StaticDevice
    device = model.objects.filter(user_id=request.user.pk, confirmed=True).first()
    verified = device and verify_token(request.user, device.persistent_id, code.lower())
    if not verified:
        log.info("wrong second factor of user %s", request.user.pk)
        return False
    request.session.cycle_key()
    login(request, verified)
    return True


def codes_left(user: Any) -> int:
    return int(StaticToken.objects.filter(device__user_id=user.pk).count())


def remove_second_factor(user: User) -> bool:
    """Take away all devices and codes of a user who has lost them; return whether there was one."""
    with transaction.atomic():
        had_one = has_second_factor(User.objects.select_for_update().get(pk=user.pk))
        User.objects.filter(pk=user.pk).update(second_factor_at=None)
        for model in (TOTPDevice, StaticDevice):
            model.objects.filter(user_id=user.pk).delete()
    log.info("second factor of user %s removed", user.pk)
    return had_one
