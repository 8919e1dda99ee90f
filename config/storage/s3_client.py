"""The client of a bucket, and how long it waits: boto3 by itself has no limit for an answer that dribbles."""

from __future__ import annotations

from typing import Any

from config.remote_file import PacedResponse

CONNECT_SECONDS = 5.0  # also for the bucket to take a block of 128 KiB that is sent
READ_SECONDS = 20.0  # of silence
ATTEMPTS = 5  # with back-off, also of SlowDown: a bucket that is silent holds a call for two minutes at most


def make_backend(bucket: str, prefix: str) -> Any:
    """Return the backend of django-storages for a bucket; each thread has a client of its own there."""
    # Imported here: it takes 0.3 s, and no process with files on this machine needs it.
    from botocore.config import Config
    from storages.backends.s3 import S3Storage

    class PacedBackend(S3Storage):
        @property
        def connection(self) -> Any:
            resource = super().connection
            # There is no public way to give a client its connections. A test fails if this one goes.
            session = resource.meta.client._endpoint.http_session
            session._pool_classes_by_scheme.update(pools)
            return resource

    pools = _paced_pools()
    config = Config(
        signature_version="s3v4",
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        # The sums that are sent are ours; others' servers do not know those that boto3 adds by itself.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return PacedBackend(bucket_name=bucket, location=prefix, client_config=config)


def _paced_pools() -> dict[str, type]:
    """Return boto3's kinds of connection pools by scheme, with answers that may take only so long in all."""
    from botocore import awsrequest

    class Connection(awsrequest.AWSHTTPConnection):
        response_class = PacedResponse

    class SecureConnection(awsrequest.AWSHTTPSConnection):
        response_class = PacedResponse

    class Pool(awsrequest.AWSHTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(awsrequest.AWSHTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}
