"""What the errors of a bucket mean: a file that is not there, a full storage, or one that cannot be used now."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

MISSING = frozenset({"NoSuchKey", "404", "NotFound", "NoSuchUpload"})
FULL = frozenset({"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507"})
HINTS = {
    "NoSuchBucket": "The bucket in STEPWRIGHT_STORAGE_URL is not there: create it, or correct its name.",
    "InvalidAccessKeyId": "AWS_ACCESS_KEY_ID is not known there.",
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID.",
    "ExpiredToken": "The keys have expired: set new ones, AWS_SESSION_TOKEN too.",
    "InvalidToken": "AWS_SESSION_TOKEN is not valid.",
    "AccessDenied": "The keys may not do this: they need to get, put, list and delete objects in the bucket.",
    "403": "The keys may not do this: they need to get, put, list and delete objects in the bucket.",
    "PermanentRedirect": "The bucket is in another region: set AWS_DEFAULT_REGION to it.",
    "301": "The bucket is in another region: set AWS_DEFAULT_REGION to it.",
    "AuthorizationHeaderMalformed": "The bucket is in another region: set AWS_DEFAULT_REGION to it.",
    "IllegalLocationConstraintException": "The bucket is in another region: set AWS_DEFAULT_REGION to it.",
    "RequestTimeTooSkewed": "The clock of this machine is wrong.",
    "NoCredentialsError": "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    "PartialCredentialsError": "Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    "ConnectTimeoutError": "It cannot be reached there in time: see AWS_ENDPOINT_URL.",
    "ReadTimeoutError": "It takes too long to answer.",
    "EndpointConnectionError": "Nothing answers there: see AWS_ENDPOINT_URL.",
}


class StorageUnavailable(OSError):
    """The storage cannot be used now, or answers what it should not. The message is for operators, without keys."""

    def __init__(self, message: str) -> None:
        super().__init__(errno.EIO, message)

    def __str__(self) -> str:
        return str(self.strerror)


@contextmanager
def meaning(key: str) -> Iterator[None]:
    """Raise FileNotFoundError, OSError (ENOSPC) or StorageUnavailable for what boto3 raises in the block."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in MISSING:
            raise FileNotFoundError(errno.ENOENT, "the file is not in the storage", key) from error
        if code in FULL:
            raise OSError(errno.ENOSPC, "the storage is full") from error
        raise StorageUnavailable(_worded(code)) from error
    except (Boto3Error, BotoCoreError, HTTPClientError) as error:
        raise StorageUnavailable(_worded(type(error).__name__)) from error


def _worded(code: str) -> str:
    return f"the storage answers {code or 'with an error'}. {HINTS.get(code, '')}".rstrip()
