"""How a call in a child fails for other reasons than those its engine names."""

from __future__ import annotations

OUT_OF_MEMORY = "OUT_OF_MEMORY"
TOO_COMPLEX = "MEDIA_TOO_COMPLEX"
WORKER_CRASHED = "WORKER_CRASHED"

_SENTENCES = {
    OUT_OF_MEMORY: "This needs more memory than the service allows for one file.",
    TOO_COMPLEX: "This takes longer than the service allows for one file.",
    WORKER_CRASHED: "The program that reads this file crashed on it.",
}


class SandboxError(Exception):
    """A child was ended by a limit or by itself. `message` is for users.

    `may_pass`: the file is not to blame (the system killed the child, or it could not start), so that another try
    may succeed.
    """

    def __init__(self, code: str, *, may_pass: bool = False, detail: str = "") -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code = code
        self.message = _SENTENCES[code]
        self.may_pass = may_pass


class ChildFailed(RuntimeError):
    """The engine raised something unexpected; the message is the traceback in the child."""
