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
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

PAYLOAD_TYPE, INSIDE = "application/vnd.in-toto+json", "manifest.dsse.json"
FRAMES = "-noautorotate -copyts -i {} -map 0:v:0 -fps_mode passthrough -enc_time_base -1 -autoscale 0"
UNREADABLE = (OSError, LookupError, AttributeError, TypeError, ValueError, zipfile.BadZipFile)
UNREADABLE += (subprocess.SubprocessError,)
wrong = []


def say(holds, what):
    print(f"{what}." if holds else f"WRONG, this is not so: {what}.")
    if not holds:
        wrong.append(what)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


def read_keys(path):
    """The public keys of a file by their key id."""
    text = Path(path).read_text()
    pems = [key["pem"] for key in json.loads(text)["keys"]] if text.lstrip().startswith("{") else [text]
    keys = [load_pem_public_key(pem.encode()) for pem in pems]
    return {sha256(key.public_bytes_raw()): key for key in keys}


def inner_envelope(artifact):
    if zipfile.is_zipfile(artifact):
        with zipfile.ZipFile(artifact) as bundle:
            return bundle.read(INSIDE)
    if artifact.read_bytes()[:5] != b"%PDF-":
        raise ValueError("this artifact has no envelope inside: give one by --envelope")
    with tempfile.TemporaryDirectory() as folder:
        run("pdfdetach", "-saveall", "-o", folder, str(artifact))
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


def check_files(path, manifest, subjects):
    content, whole = path.read_bytes(), manifest.get("artifact")
    if whole:
        say(whole["sha256"] in subjects and sha256(content) == whole["sha256"], "The artifact has its hash")
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as bundle:
            held = {name: bundle.read(name) for name in bundle.namelist()}
    else:
        held = {"instruction.pdf": content, "instruction.html": content}
    for file in manifest["files"]:
        name = file["name"]
        if name in held or zipfile.is_zipfile(path):
            found = held.get(name, b"")[: file["size_bytes"] if name == "instruction.pdf" else None]
            say(sha256(found) == file["sha256"], f"The file {name} has its hash")


def pixels(content):
    command = ["ffmpeg", "-v", "error", "-i", "-", "-f", "rawvideo", "-pix_fmt", "rgba", "-"]
    return sha256(subprocess.run(command, input=content, stdout=subprocess.PIPE, check=True).stdout)


def check_pdf_pictures(path, pictures):
    if not (shutil.which("pdfimages") and shutil.which("ffmpeg")):
        return print("The pictures in the PDF were not looked at: pdfimages or ffmpeg is not installed.")
    for picture in pictures:
        page = str(picture["page"])
        with tempfile.TemporaryDirectory() as folder:
            run("pdfimages", "-all", "-f", page, "-l", page, str(path), folder + "/p")
            found = [image.read_bytes() for image in Path(folder).iterdir()]
        hashes = {sha256(image) for image in found} | {pixels(image) for image in found}
        held = bool({picture["sha256"], picture["pixels_sha256"]} & hashes)
        say(held, f"The picture {picture['file']} stands on page {page}")


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
    keys = ("instruction_version_id", "format", "screenshot_set_hash", "renderer_version")
    parts = [*(manifest[key] for key in keys), *filter(None, [manifest["look_hash"]])]
    same = sha256("|".join(parts).encode()) == manifest["identity_key"]
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
    lines = run(*command, "-f", "framehash", "-hash", "sha256", "-").decode().splitlines()
    rows = [[cell.strip() for cell in line.split(",")] for line in lines if not line.startswith("#")]
    frames = {int(row[2]): row[-1] for row in rows}
    for picture in manifest["pictures"]:
        frame = (picture["origin"] or {}).get("frame")
        if frame:
            same = frames.get(frame["pts"]) == frame["frame_sha256"]
            say(same, f"{picture['file']}: the frame at {frame['pts']} of the video has its hash")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("artifact", type=Path)
    parser.add_argument("--key", required=True)
    parser.add_argument("--envelope")
    parser.add_argument("--video")
    options = parser.parse_args()
    try:
        envelope = (
            Path(options.envelope).read_bytes() if options.envelope else inner_envelope(options.artifact)
        )
        statement = check_signature(json.loads(envelope), read_keys(options.key))
        if statement:
            manifest = statement["predicate"]
            check_files(options.artifact, manifest, {s["digest"]["sha256"] for s in statement["subject"]})
            if manifest["format"] == "PDF":
                check_pdf_pictures(options.artifact, manifest["pictures"])
            elif manifest["format"] == "HTML":
                check_html_pictures(options.artifact, manifest["pictures"])
            check_chain(manifest)
            if options.video:
                check_video(options.video, manifest)
    except UNREADABLE as error:
        print(f"It cannot be checked: {error}")
        return 2
    print(f"{len(wrong)} of the checks failed." if wrong else "All that was checked holds.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
