"""A model for the measure: a running service, or a file that is served for as long as it takes."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from instructions.language_models.calls import UncountedCalls
from instructions.language_models.chat import Chat
from instructions.language_models.chat.service import ChatService
from instructions.language_models.installed import profiles, prompt_for

SERVER = Path(__file__).with_name("model_server.py")
PROFILE = "sentences"
TIMEOUT_SECONDS = 300.0


@contextmanager
def served_model(
    model: str, python: str, profile_id: str, threads: int = 2
) -> Iterator[tuple[Chat, Callable[[], float]]]:
    """Yield the model, and what tells the CPU seconds that serving it took so far, 0 for a service elsewhere."""
    if model.startswith(("http://", "https://")):
        yield _chat(model, profile_id), lambda: 0.0
        return
    process = subprocess.Popen(
        [python, str(SERVER), model, str(threads)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin and process.stdout
    try:
        address = next((line.strip() for line in process.stdout if line.startswith("http://")), "")
        if not address:
            raise SystemExit(f"{python} does not serve {model}: it needs the package xllamacpp")
        yield _chat(address, profile_id), lambda: _cpu_seconds(process.pid)
    finally:
        process.stdin.close()
        process.terminate()
        process.wait(30)


def _chat(url: str, profile_id: str) -> Chat:
    profile = profiles()[profile_id]
    service = ChatService(url, "", "model", TIMEOUT_SECONDS)
    return Chat(
        service, profile, prompt_for(profile, "draft"), prompt_for(profile, "rewrite"), UncountedCalls()
    )


def _cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process of Linux; see proc(5), fields 14 and 15 of stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def most_memory_mib() -> float:
    """Return the most memory that this process, or one that it has started and that has ended, had at once."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024
