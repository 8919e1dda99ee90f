"""Serve a model with llama.cpp's server: `python model_server.py MODEL THREADS`, by an interpreter that has
xllamacpp. It prints its address once it answers, and ends when its standard input does."""

from __future__ import annotations

import importlib
import sys
from typing import Any

TOKENS = 8192


def main(path: str, threads: str) -> None:
    # Not among the project's packages: it comes with the interpreter that the caller has chosen.
    xllamacpp: Any = importlib.import_module("xllamacpp")
    options = xllamacpp.CommonParams()
    options.model.path = path
    options.hostnames, options.port = ["127.0.0.1"], 0
    options.n_parallel, options.n_ctx = 1, TOKENS
    options.cpuparams.n_threads = options.cpuparams_batch.n_threads = int(threads)
    server = xllamacpp.Server(options)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
