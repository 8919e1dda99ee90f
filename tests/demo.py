"""`make demo`: the main job once, for real. Starts the service, goes from the sample recording to the exported
guide over HTTP, checks every result and leaves them in `demo-output/`, or the folder that the argument names.

Exit status 0 only when every artifact is there and right.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import pypdfium2  # noqa: E402
from PIL import Image  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from tests.client import Client  # noqa: E402
from tests.demo_edits import check, edit, printed, span, table_of  # noqa: E402
from tests.media.frame_counter import read_counter  # noqa: E402
from tests.served import Served  # noqa: E402

SAMPLE = ROOT / "tests" / "media" / "sample.mp4"
SILENT = ROOT / "tests" / "guides" / "recordings" / "web_settings.mp4"
OUTPUT = Path(sys.argv[1]).resolve() if sys.argv[1:] else ROOT / "demo-output"
console = Console()

Json = dict[str, Any]


class Clock:
    """The stages with their seconds, printed as they end and once more in a table."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float, str]] = []

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[list[str]]:
        notes: list[str] = []
        began = time.monotonic()
        with console.status(f"{name} …"):
            yield notes
        self.done(name, time.monotonic() - began, ", ".join(notes))

    def done(self, name: str, seconds: float, note: str = "") -> None:
        self.rows.append((name, seconds, note))
        console.print(f"[green]✓[/] {name:<22} {seconds:6.1f} s  [dim]{note}[/]")

    def table(self) -> Table:
        table = Table("Stage", "Seconds", "What came of it", title="From the recording to the guide")
        for name, seconds, note in self.rows:
            table.add_row(name, f"{seconds:.1f}", note)
        table.add_row("[bold]all[/]", f"[bold]{sum(row[1] for row in self.rows):.1f}[/]", "")
        return table


def process(client: Client, served: Served, job: Json, clock: Clock) -> Json:
    """Run the pipeline and show each of its stages as it goes by."""
    client.post(f"/jobs/{job['id']}/run")
    working = {"AUDIO_EXTRACTING": "Take out the sound", "TRANSCRIBING": "Transcribe", "GENERATING": "Draft"}
    began: dict[str, float] = {}
    with console.status("Processing …") as status:

        def seen(resource: Json) -> None:
            served.measure()
            began.setdefault(resource["status"], time.monotonic())
            status.update(f"{working.get(resource['status'], 'Processing')} …")

        job = client.wait(f"/jobs/{job['id']}", {"DRAFT_READY"}, seen=seen)
    events = client.get(f"/jobs/{job['id']}/events")
    at = {event["new_status"]: event["occurred_at"] for event in events if "new_status" in event}
    for status_name, done_name in zip(
        working, ["AUDIO_READY", "TRANSCRIPT_READY", "DRAFT_READY"], strict=True
    ):
        clock.done(working[status_name], _seconds_between(at[status_name], at[done_name]))
    return job


def _seconds_between(start: str, end: str) -> float:
    from datetime import datetime

    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def shown_frame(client: Client, task: Json) -> int:
    """The number of the frame, which stands in it."""
    with Image.open(io.BytesIO(client.picture(task["asset_id"]))) as image:
        return read_counter(image.convert("RGB"))


def take_pictures(client: Client, job: Json, document: Json, steps: list[Json], fps: float) -> list[Json]:
    """Each step has a picture of the moment that shows it best: that of the draft, or one that is asked for now. The
    first gets another, a moment before the step ends. Each must show the very frame."""
    version_id = document["instruction_version_id"]
    tasks = client.auto(job, version_id)
    anchors = [step["anchor_ids"] for step in client.steps(document)]
    check(all(anchors), "each step has its own picture, the step of two both")
    check(sum(anchors, []) == [task["anchor_id"] for task in tasks], "they are those that were asked for")
    _, end_ms = span(steps[0])
    tasks[0] = client.replace(tasks[0]["anchor_id"], version_id, timestamp_ms=end_ms, offset_ms=-200)
    check(shown_frame(client, tasks[0]) == int((end_ms - 200) * fps / 1000), "it is the frame asked for")
    for task in tasks:
        frame = int(task["extracted_at_ms"] * fps / 1000)
        check(shown_frame(client, task) == frame, "the picture is the frame that its task says")
    return tasks


def annotate(client: Client, task: Json) -> Json:
    """Hide one region and point at another; asking again renders nothing."""
    operations = [
        {"op_type": "blur", "geometry": {"x": 0.935, "y": 0.12, "width": 0.05, "height": 0.19}},
        {"op_type": "arrow", "geometry": {"from": {"x": 0.62, "y": 0.45}, "to": {"x": 0.85, "y": 0.16}}},
    ]
    body = {"base_asset_id": task["asset_id"], "operations": operations}
    done: Json = client.post(f"/anchors/{task['anchor_id']}/annotations", body)
    check(
        done["active_asset_id"] == done["rendered_asset_id"] != task["asset_id"],
        "the annotated picture is active",
    )
    check(
        client.post(f"/anchors/{task['anchor_id']}/annotations", body) == done,
        "the same again is the same asset",
    )
    return done


def check_pdf(content: bytes, steps: list[Json], pictures: int, page_file: Path) -> str:
    """The PDF opens, has the steps in order with their times, and the pictures; a page of it goes to a PNG."""
    document = pypdfium2.PdfDocument(content)
    text = " ".join(page.get_textpage().get_text_range() for page in document)
    words = " ".join(text.split())
    places = [words.find(f"{step['number']} {step['title']} {printed(step)}") for step in steps]
    check(
        all(place >= 0 for place in places) and places == sorted(places),
        "the PDF has the steps in order, each with its time",
    )
    images = [
        sum(1 for item in page.get_objects() if item.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE)
        for page in document
    ]
    check(sum(images) >= pictures, "the PDF has every picture")
    first = next(number for number, count in enumerate(images) if count)
    document[first].render(scale=2).to_pil().save(page_file)
    return f"{len(document)} pages, {pictures} pictures"


def check_zip(content: bytes, steps: list[Json]) -> str:
    """The files are those of the manifest, and each step has its time and its own picture."""
    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        manifest = json.loads(bundle.read("manifest.json"))
        for file in manifest["files"]:
            digest = hashlib.sha256(bundle.read(file["name"])).hexdigest()
            check(digest == file["sha256"], f"{file['name']} is what the manifest says")
        text = bundle.read("instruction.md").decode()
        for picture in manifest["pictures"]:
            check(picture["file"] in text, f"{picture['file']} stands in the text")
        _, *sections = re.split(r"^#{2,3} Step ", text, flags=re.MULTILINE)
        for step, section in zip(steps, sections, strict=True):
            heading, _, below = section.partition("\n")
            check(heading == f"{step['number']}: {step['title']} ({printed(step)})", "the step has its time")
            check(f"![Screenshot: {step['title']}](images/" in below, "and its picture")
        return f"{len(bundle.namelist())} files"


def export(client: Client, job: Json, document: Json, format: str) -> tuple[Json, bytes]:
    done = client.export(job["id"], document["instruction_version_id"], format)
    content = client.download(done)
    check(hashlib.sha256(content).hexdigest() == done["artifact_sha256"], f"the {format} is whole")
    again = client.export(job["id"], document["instruction_version_id"], format)
    check(again["id"] == done["id"], "the same export is the same artifact")
    return done, content


def go(served: Served, clock: Clock, output: Path) -> None:
    about = json.loads(SAMPLE.with_suffix(".json").read_text())
    with clock.stage("Start the service") as notes:
        served.start()
        client = Client(served.url, served.token())
        notes.append(served.url)
    with clock.stage("Upload") as notes:
        job = client.upload(client.new_job("Demo", language="en")["id"], SAMPLE)
        notes.append(f"{SAMPLE.stat().st_size / 2**20:.1f} MiB, {about['duration_ms'] / 1000:.0f} s of video")
    job = process(client, served, job, clock)
    with clock.stage("Edit") as notes:
        (output / "transcript.vtt").write_text(client.get(f"/jobs/{job['id']}/transcript.vtt").text)
        draft = client.get(f"/instructions/{job['instruction_id']}")
        document, steps = edit(client, draft, about["script"][-1])
        notes.append(f"{len(steps)} steps, version {document['version']}, {document['validation_status']}")
    console.print(table_of(steps))
    with clock.stage("Take the pictures") as notes:
        tasks = take_pictures(client, job, document, steps, about["fps"])
        notes.append(f"{len(tasks)} frames, of which one was asked for by its time")
    with clock.stage("Annotate") as notes:
        done = annotate(client, tasks[0])
        (output / "annotated.png").write_bytes(client.picture(done["rendered_asset_id"]))
        notes.append("a blur and an arrow on the first")
    with clock.stage("Export PDF") as notes:
        served.measure()
        _, pdf = export(client, job, document, "PDF")
        (output / "guide.pdf").write_bytes(pdf)
        notes.append(check_pdf(pdf, steps, len(tasks), output / "page.png"))
    with clock.stage("Export Markdown") as notes:
        made, bundle = export(client, job, document, "MD_ZIP")
        (output / "guide.zip").write_bytes(bundle)
        manifest = client.get(f"/exports/{made['id']}/manifest")
        check(len(manifest["pictures"]) == len(tasks), "the manifest names every picture")
        notes.append(check_zip(bundle, steps))
    with clock.stage("Export HTML and Word") as notes:
        for format, suffix in (("HTML", "html"), ("DOCX", "docx")):
            _, content = export(client, job, document, format)
            (output / f"guide.{suffix}").write_bytes(content)
            notes.append(f"{suffix}: {len(content) / 2**20:.1f} MiB")
    check(client.get(f"/jobs/{job['id']}")["status"] == "DONE", "the job is DONE")
    with clock.stage("A silent recording") as notes:
        notes.append(go_silent(client, output))
    served.measure()


def go_silent(client: Client, output: Path) -> str:
    """The guide of a recording in which nothing is said: what its screen shows being done, each with its picture."""
    job = client.upload(client.new_job("Silent", title="Change the settings")["id"], SILENT)
    client.post(f"/jobs/{job['id']}/run")
    job = client.wait(f"/jobs/{job['id']}", {"DRAFT_READY"})
    document = client.get(f"/instructions/{job['instruction_id']}")
    steps = client.steps(document)
    check(len(steps) > 5, "a silent recording has steps")
    for step in steps:
        evidence = step["evidence"]
        check(evidence["kind"] == "shown" and evidence["frames"], "a step rests on the frames that show it")
    shown = client.get(f"/jobs/{job['id']}/screen-events")["items"]
    check({"click", "type"} <= {event["kind"] for event in shown}, "the screen shows clicks and typing")
    tasks = client.auto(job, document["instruction_version_id"])
    check(len(tasks) == len(steps), "each step has its picture")
    _, pdf = export(client, job, document, "PDF")
    (output / "silent.pdf").write_bytes(pdf)
    return check_pdf(pdf, client.steps(document), len(tasks), output / "silent.png")


def main() -> int:
    clock = Clock()
    with tempfile.TemporaryDirectory(prefix="stepwright-demo-") as folder:
        output = Path(folder) / "output"
        output.mkdir()
        served = Served(Path(folder) / "home")
        try:
            go(served, clock, output)
            with clock.stage("Stop the service"):
                check(served.stop() == 0, "the service ends cleanly")
                check(not served.processes(), "no process is left")
        except Exception as error:
            console.print(f"[red]✗ {type(error).__name__}[/]: {error}")
            log = served.home / "serve.log"
            if log.exists():
                console.print(
                    "[dim]The last lines of the service's log:[/]", "\n".join(served.log().splitlines()[-15:])
                )
            return 1
        finally:
            if hasattr(served, "process") and served.process.poll() is None:
                served.stop()
        target = Path(tempfile.mkdtemp(prefix=".demo-", dir=OUTPUT.parent))
        shutil.copytree(output, target, dirs_exist_ok=True)
        shutil.rmtree(OUTPUT, ignore_errors=True)
        os.replace(target, OUTPUT)
        OUTPUT.chmod(0o755)
    console.print(clock.table())
    peaks = ", ".join(f"{name} {size / 2**20:.0f} MiB" for name, size in sorted(served.peaks.items()))
    console.print(f"Peak memory of the largest process of each kind: {peaks}")
    for name, what in (
        ("guide.pdf", "the guide"),
        ("guide.html", "the same as a page"),
        ("guide.docx", "the same for Word"),
        ("guide.zip", "the same as Markdown, with its manifest"),
        ("page.png", "a page of the PDF"),
        ("silent.pdf", "the guide of a recording without sound"),
        ("silent.png", "a page of it"),
        ("annotated.png", "a picture with a blur and an arrow"),
        ("transcript.vtt", "what was said, with times"),
    ):
        console.print(f"  {OUTPUT / name}  [dim]{what}[/]", soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
