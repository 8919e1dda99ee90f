"""Run engines on untrusted files in child processes with limits: a crash, an endless loop or a memory bomb ends a
child, and nothing else."""

from __future__ import annotations

from config.sandbox import limits
from config.sandbox.calls import call
from config.sandbox.errors import OUT_OF_MEMORY, TOO_COMPLEX, WORKER_CRASHED, ChildFailed, SandboxError
from config.sandbox.limits import Limits

__all__ = [
    "OUT_OF_MEMORY",
    "TOO_COMPLEX",
    "WORKER_CRASHED",
    "ChildFailed",
    "Limits",
    "SandboxError",
    "call",
    "limits",
]
