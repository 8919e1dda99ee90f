"""Prints the SHA-256 of generated documents in every format: a program, to be run in many surroundings.

`python -m tests.exports.render_generated CLOCK NUMBER …`: CLOCK is what Python takes for now, in seconds since 1970.
"""

from __future__ import annotations

import base64
import hashlib
import sys
import time
from dataclasses import replace

import rfc8785

from exports.renderers import RENDERERS
from exports.renderers.sealing import SEALS, seal
from exports.signing import SigningKey, files_of, make_statement
from tests.exports.generated import generated

KEY = SigningKey.read(
    base64.b64encode(bytes.fromhex("302e020100300506032b657004220420") + b"k" * 32).decode()
)


def hashes(number: int) -> dict[str, str]:
    """Return by format the SHA-256 of a document as it is downloaded, with its signed manifest, which is in the hash
    of HTML too."""
    document, read = generated(number)
    document = replace(document, key_id=KEY.public.key_id)
    found = {}
    for format, renderer in RENDERERS.items():
        rendered = renderer.render(document, read)
        content = seal(rendered, KEY, format=format)
        if format not in SEALS:
            content += KEY.envelope(make_statement(rendered.manifest, files_of(rendered.manifest)))
        found[format] = hashlib.sha256(content).hexdigest()
    return found


def main(clock: float, numbers: list[int]) -> None:
    time.time = lambda: clock
    for number in numbers:
        print(rfc8785.dumps({"number": number, **hashes(number)}).decode(), flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), [int(number) for number in sys.argv[2:]])
