"""How a call in a child fails for other reasons than those its engine names."""

from __future__ import annotations

import re

OUT_OF_MEMORY = "OUT_OF_MEMORY"
TOO_COMPLEX = "MEDIA_TOO_COMPLEX"
WORKER_CRASHED = "WORKER_CRASHED"

_SENTENCES = {
    OUT_OF_MEMORY: "This needs more memory than the service allows for one file.",
    TOO_COMPLEX: "This takes longer than the service allows for one file.",
    WORKER_CRASHED: "The program that reads this file crashed on it.",
}


# What faulthandler writes of a crash: of a line in a traceback, the place.
_FRAME = re.compile(r'File "[\w./<>-]+", line \d+,? in [\w.<>]+')


class SandboxError(Exception):
    """A child was ended by a limit or by itself. `message` is for users.

    The exception's text, which goes to the log, has no more of `detail` than its beginning up to a colon, and the
    places in our code that follow: the rest are last words of the child, which may be text out of a file.
    `may_pass`: the file is not to blame (the system killed the child, it could not start, or it has waited for most of
    its time), so that another try may succeed.
    """

    def __init__(self, code: str, *, may_pass: bool = False, detail: str = "") -> None:
        what, _, last_words = detail.partition(":")
        super().__init__(" ".join([code, what, *_FRAME.findall(last_words)]).strip())
        self.code = code
        self.message = _SENTENCES[code]
        self.may_pass = may_pass


class ChildFailed(RuntimeError):
    """The engine raised something unexpected; the message says which, and where in the child."""
