"""What a bucket does with a signed URL: the signature is computed again (AWS Signature Version 4, "Authenticating
Requests: Using Query Parameters")."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote, urlsplit

UNSIGNED = "UNSIGNED-PAYLOAD"


def accepts(method: str, url: str, headers: Mapping[str, str], *, secret: str, now: datetime) -> bool:
    """Return whether a bucket takes this request; `headers` are those that are sent, but for Host."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    signature = query.pop("X-Amz-Signature")
    begun = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if not begun <= now <= begun + timedelta(seconds=int(query["X-Amz-Expires"])):
        return False
    sent = {name.lower(): value.strip() for name, value in headers.items()} | {"host": parts.netloc}
    names = query["X-Amz-SignedHeaders"].split(";")
    if missing := set(names) - set(sent):
        raise AssertionError(f"not sent: {missing}")
    canonical = "\n".join(
        [
            method,
            quote(unquote(parts.path), safe="/-_.~"),
            "&".join(
                sorted(f"{quote(name, safe='-_.~')}={quote(query[name], safe='-_.~')}" for name in query)
            ),
            *(f"{name}:{sent[name]}" for name in names),
            "",
            ";".join(names),
            UNSIGNED,
        ]
    )
    scope = query["X-Amz-Credential"].split("/", 1)[1]
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", query["X-Amz-Date"], scope, hashed])
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), signature)
