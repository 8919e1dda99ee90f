"""What an export is made of, frozen when it is requested: the text of one version and its pictures.

A renderer gets a `Document` and a function that reads picture bytes, and nothing else. The document is stored
as JSON in the export's row, so that the same bytes can be rendered again years later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from exports.look import Look

SNAPSHOT_VERSION = 1


class AssetMissing(Exception):
    """The bytes of a picture are gone. The export fails with `ASSET_MISSING`."""

    def __init__(self, asset_id: str) -> None:
        super().__init__(f"The picture {asset_id} is missing from the storage.")
        self.asset_id = asset_id


@dataclass(frozen=True)
class Picture:
    """One anchor's active asset, resolved into the version that is exported.

    `block_id` is the block that the picture stands after (at the end of it, for a step); None, or an id that
    the text does not hold, puts it at the end of the document. `width` and `height` are pixels, `sha256` is
    that of the stored bytes in lower-case hex, `extracted_at_ms` the time of the frame in the video. `origin` is what
    the manifest says of where it comes from. `pixels_sha256` is the hash of what the picture shows (`anchors.pixels`),
    None where it is not known. Both are None in snapshots from before there were these fields.
    """

    anchor_id: str
    asset_id: str
    block_id: str | None
    sha256: str
    mime_type: str
    width: int
    height: int
    extracted_at_ms: int | None
    alt: str
    origin: Mapping[str, Any] | None = None
    pixels_sha256: str | None = None


@dataclass(frozen=True)
class Document:
    """One version of an instruction with its pictures.

    `markdown` holds the block markers. Pictures at the same place appear in the order of the tuple.
    `provenance` is the export's, without `generated_at`: no time may be part of the bytes. `spans` says by block id
    when a step begins and ends in the video (ms; the end None where it is not known). A step that it lacks has the
    times of its heading. `steps` says for each step, in the order of the text, what it rests on, as the manifest gives
    it. `key_id` names the key that signs the manifest inside the artifact. `length_ms` is the length of the recording,
    `recorded_on` the day (UTC, ISO 8601) on which it was made as its file says, `uploaded_on` the day on which it came
    here; only one of the two is set.

    Snapshots from before there were these fields have no spans and steps, no signature inside, and no facts of the
    recording.
    """

    job_id: str
    instruction_id: str
    instruction_version_id: str
    version: int
    title: str
    language: str
    markdown: str
    pictures: tuple[Picture, ...]
    video_sha256: str | None
    provenance: Mapping[str, Any]
    spans: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)
    look: Look = field(default_factory=Look)
    steps: tuple[Mapping[str, Any], ...] = ()
    key_id: str | None = None
    length_ms: int | None = None
    recorded_on: str | None = None
    uploaded_on: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object that `from_json` turns back into an equal document."""
        plain = {each.name: getattr(self, each.name) for each in fields(self)}
        plain["pictures"] = [{**vars(picture)} for picture in self.pictures]
        plain["provenance"] = dict(self.provenance)
        plain["spans"] = {block_id: list(span) for block_id, span in self.spans.items()}
        plain["look"] = {**vars(self.look)}
        plain["steps"] = [dict(step) for step in self.steps]
        return {"snapshot_version": SNAPSHOT_VERSION, **plain}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Document:
        """Return the document; raise ValueError for an object that `to_json` of this version did not make."""
        plain = dict(stored)
        if plain.pop("snapshot_version", None) != SNAPSHOT_VERSION:
            raise ValueError("this snapshot was made by another version")
        try:
            plain["pictures"] = tuple(Picture(**picture) for picture in plain["pictures"])
            plain["spans"] = {block_id: tuple(span) for block_id, span in plain.get("spans", {}).items()}
            plain["look"] = Look.from_json(plain.get("look"))
            plain["steps"] = tuple(plain.get("steps", ()))
            return cls(**plain)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("this snapshot lacks a field or has one too many") from error


ReadPicture = Callable[[Picture], bytes]
"""Return the stored bytes of a picture, or raise AssetMissing."""
