"""The font files that exports are set in: of installed packages only, so that every machine has the same."""

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
    return [Path(str(files(package))) / folder for _, package, folder in _PACKAGES]


def font_files() -> list[Path]:
    """Sorted by name, for the order in a folder is the file system's."""
    found = (path for folder in font_folders() for path in folder.iterdir() if path.suffix in _SUFFIXES)
    return sorted(found, key=lambda path: path.name)


def fingerprint() -> str:
    """Eight hex digits that change with the fonts: their packages' versions, their files' names and sizes.

    A version of a package never has other content (the lock file holds their hashes), so nothing is read.
    """
    lines = [f"{distribution}=={version(distribution)}" for distribution, _, _ in _PACKAGES]
    lines += [f"{path.name} {path.stat().st_size}" for path in font_files()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]
