"""The font files for exports: of installed packages only, so that every machine has the same."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

# Distribution, its package, and the folder in it that holds the fonts.
_PACKAGES = (
    ("manimgx-fonts", "manimgx_fonts", "."),
    ("manimgx-fonts-cjk", "manimgx_fonts_cjk", "."),
    ("fontpkg-jetbrains-mono", "fontpkg_jetbrains_mono", "files"),
)
_SUFFIXES = {".ttf", ".otf", ".ttc"}


def font_folders() -> list[Path]:
    """Return the folders of the packages that hold the fonts."""
    return [Path(str(files(package))) / folder for _, package, folder in _PACKAGES]


def font_files() -> list[Path]:
    """Return the font files sorted by name, as the order in a folder depends on the file system."""
    found = (path for folder in font_folders() for path in folder.iterdir() if path.suffix in _SUFFIXES)
    return sorted(found, key=lambda path: path.name)


def fingerprint() -> str:
    """Return eight hex digits over the versions of the fonts' packages and their files' names and sizes.

    The files are not read: the lock file pins the content of each version of a package by hash.
    """
    lines = [f"{distribution}=={version(distribution)}" for distribution, _, _ in _PACKAGES]
    lines += [f"{path.name} {path.stat().st_size}" for path in font_files()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]
