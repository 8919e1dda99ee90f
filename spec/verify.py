"""Check an export of Stepwright: python verify.py ARTIFACT --key KEY [--envelope FILE] [--video FILE]

ARTIFACT is the file that was downloaded; KEY is a public key in PEM, or the answer of GET /api/v1/keys. The envelope is
that of GET /api/v1/exports/{id}/manifest (Accept: application/vnd.in-toto+json); without one, that inside the artifact.
Needs Python 3.9 and `cryptography`; pdfdetach and pdfimages (Poppler) for PDF, ffmpeg for pixels and frames.
Exit status: 0 all that was looked at holds, 1 something does not, 2 it cannot be looked at. verify.md says the rules.
"""

import argparse
import base64
import hashlib
import json
import re
import shutil
import sys
from pathlib import Path
from subprocess import SubprocessError, check_output
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile, is_zipfile

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

PAYLOAD_TYPE, INSIDE = "application/vnd.in-toto+json", "manifest.dsse.json"
WHOLE = {"PDF": "instruction.pdf", "HTML": "instruction.html"}
PIXELS = ("-v", "error", "-f", "rawvideo", "-pix_fmt", "rgba", "-")
FRAMES = "-noautorotate -copyts -i {} -map 0:v:0 -fps_mode passthrough -enc_time_base -1 -autoscale 0"
UNREADABLE = (OSError, LookupError, AttributeError, TypeError, ValueError, BadZipFile, SubprocessError)
wrong = []


def say(holds, what):
    print(f"{what}." if holds else f"WRONG, this is not so: {what}.")
    if not holds:
        wrong.append(what)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def read_keys(path):
    """The public keys of a file by their key id."""
    text = Path(path).read_text()
    pems = [key["pem"] for key in json.loads(text)["keys"]] if text.lstrip().startswith("{") else [text]
    keys = [load_pem_public_key(pem.encode()) for pem in pems]
    return {sha256(key.public_bytes_raw()): key for key in keys}


def inner_envelope(artifact):
    if is_zipfile(artifact):
        return ZipFile(artifact).read(INSIDE)
    if artifact.read_bytes()[:5] != b"%PDF-":
        raise ValueError("this artifact has no envelope inside: give one by --envelope")
    with TemporaryDirectory() as folder:
        check_output(["pdfdetach", "-saveall", "-o", folder, str(artifact)])
        return (Path(folder) / INSIDE).read_bytes()


def check_signature(envelope, keys):
    """Return the statement, or None when its signature does not hold."""
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"]
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
    signature = envelope["signatures"][0]
    try:
        keys[signature["keyid"]].verify(base64.b64decode(signature["sig"]), message)
    except (InvalidSignature, KeyError):
        return say(False, "The signature of the manifest holds by the key that was given")
    say(kind == PAYLOAD_TYPE, "The signature of the manifest holds by the key that was given")
    return json.loads(payload)


def check_files(path, manifest, subjects, envelope):
    content, whole = path.read_bytes(), manifest.get("artifact")
    files = {file["name"]: file for file in manifest["files"]}
    if whole:
        say(whole["sha256"] in subjects and sha256(content) == whole["sha256"], "The artifact has its hash")
    if manifest["format"] not in WHOLE:
        return check_zip(ZipFile(path), files, manifest)
    name = WHOLE[manifest["format"]]
    end = files[name]["size_bytes"]
    behind = sha256(content[end:].replace(envelope, b"", 1))
    holds = whole or end >= len(content) or behind in subjects
    say(holds, f"Behind the file {name} stands what attaches its envelope, and nothing else")
    say(sha256(content[:end]) == files[name]["sha256"], f"The file {name} has its hash")


def check_zip(bundle, files, manifest):
    names = [name for name in bundle.namelist() if name not in (INSIDE, "manifest.json")]
    say(sorted(names) == sorted(files), "The zip holds the files of the manifest and no others")
    for name, file in files.items():
        found = sha256(bundle.read(name)) if name in names else None
        say(found == file["sha256"], f"The file {name} has its hash")
    if manifest["format"] == "MD_ZIP":
        plain = {key: value for key, value in manifest.items() if key not in ("export_id", "artifact")}
        say(json.loads(bundle.read("manifest.json")) == plain, "The file manifest.json says what is signed")


def check_pdf_pictures(path, pictures):
    if not (shutil.which("pdfimages") and shutil.which("ffmpeg")):
        return print("The pictures in the PDF were not looked at: pdfimages or ffmpeg is not installed.")
    for picture in pictures:
        page = str(picture["page"])
        with TemporaryDirectory() as folder:
            check_output(["pdfimages", "-all", "-f", page, "-l", page, str(path), folder + "/p"])
            files = sorted(Path(folder).iterdir())
            shown = [bytearray(check_output(["ffmpeg", "-i", file, *PIXELS])) for file in files]
            found = {sha256(each) for each in [*shown, *(file.read_bytes() for file in files)]}
        for image, mask in zip(shown, shown[1:], strict=False):  # a mask of transparency follows its picture
            if len(image) == len(mask):
                image[3::4] = mask[::4]
                found.add(sha256(image))
        holds = {picture["sha256"], picture["pixels_sha256"]} & found
        say(holds, f"The picture {picture['file']} stands on page {page}")


def check_html_pictures(path, pictures):
    whole = rb'"data:image/\w+;base64,((?:[\w+/]{4})+(?:[\w+/]{2}==|[\w+/]{3}=)?)"'
    found = {sha256(base64.b64decode(data)) for data in re.findall(whole, path.read_bytes())}
    for picture in pictures:
        say(picture["sha256"] in found, f"The picture {picture['file']} stands in the page")


def check_chain(manifest):
    """Each link from the export to the video, as far as it can be computed again."""
    pictures, files = manifest["pictures"], {file["name"]: file["sha256"] for file in manifest["files"]}
    active = {anchor["anchor_id"]: anchor["active_asset_id"] for anchor in manifest["provenance"]["anchors"]}
    names = {"anchor_id": "anchor_id", "block_id": "block_id", "checksum_sha256": "source_sha256"}
    ordered = sorted(pictures, key=lambda picture: picture["anchor_id"])
    shown = [{key: picture[name] for key, name in names.items()} for picture in ordered]
    canonical = json.dumps(shown, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    same = sha256(canonical.encode()) == manifest["screenshot_set_hash"]
    say(same, "The link from the export to blocks, anchors and assets (screenshot_set_hash) holds")
    keys = ("instruction_version_id", "format", "screenshot_set_hash", "renderer_version", "look_hash")
    same = sha256("|".join(filter(None, map(manifest.get, keys))).encode()) == manifest["identity_key"]
    say(same, "The link from the export to its version (identity_key) holds")
    for picture in pictures:
        name, origin = picture["file"], picture["origin"] or {}
        bases, frame = origin.get("bases"), origin.get("frame")
        file, base, video = files.get(name), origin.get("base_sha256"), manifest["video"]["sha256"]
        links = {
            "from the anchor to the asset": active.get(picture["anchor_id"]) == picture["asset_id"],
            "from the picture to its file": file in (None, picture["sha256"]),
            "from the asset to the operations": bool(bases) == bool(origin.get("ops_hash")),
            "from the operations to the base": not bases or base == bases[0]["sha256"],
            "from the frame to the video": not frame or origin["video_sha256"] == video,
            "to what is hidden": not origin.get("commitment") or not (bases or frame or base),
        }
        for link, holds in links.items():
            say(holds, f"{name}: the link {link} holds")


def check_video(path, manifest):
    digest = hashlib.sha256()
    with open(path, "rb") as video:
        for part in iter(lambda: video.read(1 << 20), b""):
            digest.update(part)
    say(digest.hexdigest() == manifest["video"]["sha256"], "The video has its hash")
    command = ["ffmpeg", "-v", "fatal", *[part.format(path) for part in FRAMES.split()]]
    lines = check_output([*command, "-f", "framehash", "-hash", "sha256", "-"]).decode().splitlines()
    rows = [line.split(",") for line in lines if not line.startswith("#")]
    frames = {int(row[2]): row[-1].strip() for row in rows}
    for picture in manifest["pictures"]:
        frame = (picture["origin"] or {}).get("frame")
        if frame:
            same = frames.get(frame["pts"]) == frame["frame_sha256"]
            say(same, f"{picture['file']}: the frame at {frame['pts']} of the video has its hash")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("artifact", type=Path)
    parser.add_argument("--key", required=True)
    parser.add_argument("--envelope")
    parser.add_argument("--video")
    options = parser.parse_args()
    try:
        inner = not options.envelope
        envelope = inner_envelope(options.artifact) if inner else Path(options.envelope).read_bytes()
        statement = check_signature(json.loads(envelope), read_keys(options.key))
        if statement:
            manifest = statement["predicate"]
            subjects = {subject["digest"]["sha256"] for subject in statement["subject"]}
            check_files(options.artifact, manifest, subjects, envelope)
            look = {"PDF": check_pdf_pictures, "HTML": check_html_pictures}.get(manifest["format"])
            if look:
                look(options.artifact, manifest["pictures"])
            check_chain(manifest)
            if options.video:
                check_video(options.video, manifest)
    except UNREADABLE as error:
        print(f"It cannot be checked: {error}")
        return 1 if wrong else 2
    print(f"{len(wrong)} of the checks failed." if wrong else "All that was checked holds.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
