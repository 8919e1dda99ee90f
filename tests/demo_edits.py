"""What an editor does with the draft in `make demo`: corrects and joins steps, adds one, undoes a mistake.

No edit but the last touches Markdown; each is checked by what `GET /instructions/{id}/steps` answers after it.
"""

from __future__ import annotations

from typing import Any

from rich.table import Table

from tests.client import Client

Json = dict[str, Any]


class NotAsExpected(Exception):
    """A check of the demo did not hold; says which."""


def check(holds: bool, what: str) -> None:
    if not holds:
        raise NotAsExpected(what)


def edit(client: Client, document: Json, shown_last: Json) -> tuple[Json, list[Json]]:
    """Edit the draft as above; return the newest version, and its steps with their times.

    `shown_last` is what is said after the last step, with its times; it becomes a step of its own.
    """
    document = correct_steps(client, document, shown_last)
    document = undo_a_mistake(client, document)
    document = add_a_note(client, document)
    return document, client.steps(document)


def correct_steps(client: Client, document: Json, shown_last: Json) -> Json:
    """Correct the first step, make one of the fourth and fifth, and add one at the end, in one call."""
    before = client.steps(document)
    first, fourth, fifth = before[0], before[3], before[4]
    operations = [
        {"op": "set_title", "block_id": first["block_id"], "title": "Click New invoice"},
        {
            "op": "replace_block",
            "block_id": text_below(document, first),
            "markdown": "Click **New invoice** in the top right corner.\n",
        },
        {"op": "merge_steps", "block_ids": [fourth["block_id"], fifth["block_id"]]},
        {
            "op": "set_title",
            "block_id": fourth["block_id"],
            "title": "Describe the work, its hours and price",
        },
        {
            "op": "insert_step",
            "after": before[-1]["block_id"],
            "title": "See the invoice in your list",
            "markdown": "The invoice is in your list now.\n",
            "start_ms": shown_last["start_ms"],
            "end_ms": shown_last["end_ms"],
        },
    ]
    saved = client.edit(document, operations)
    after = client.steps(saved)
    check(saved["version"] == document["version"] + 1, "all operations made one version")
    check([step["number"] for step in after] == list(range(1, len(after) + 1)), "the steps are numbered anew")
    check(span(after[0]) == span(first), "the step with another title keeps its time")
    joined = (fourth["start_ms"], fifth["end_ms"])
    check(span(after[3]) == joined, "the step of two lasts from the first's begin to the second's end")
    check(span(after[-1]) == span(shown_last), "the new step has the time that was given")
    untouched = {step["block_id"]: span(step) for step in before if step not in (first, fourth, fifth)}
    kept = {step["block_id"]: span(step) for step in after if step["block_id"] in untouched}
    check(kept == untouched, "every other step keeps its time")
    return saved


def undo_a_mistake(client: Client, document: Json) -> Json:
    """Delete a step and move another, compare, and take the version before that back."""
    steps = client.steps(document)
    wrong = client.edit(
        document,
        [
            {"op": "delete_step", "block_id": steps[1]["block_id"]},
            {"op": "move_step", "block_id": steps[-1]["block_id"], "after": steps[0]["block_id"]},
        ],
    )
    changes = {block["block_id"]: block["change"] for block in client.diff(document, wrong)["blocks"]}
    check(changes.get(steps[1]["block_id"]) == "removed", "the comparison names the step that is gone")
    check(steps[-1]["block_id"] in changes, "the comparison names the step that was moved")
    undone = client.restore(wrong, document["version"])
    compared = client.diff(document, undone)
    check(
        compared["unified_diff"] == "" and compared["blocks"] == [],
        "the version taken back is the one before",
    )
    check(client.steps(undone) == steps, "the steps have their times again")
    return undone


def add_a_note(client: Client, document: Json) -> Json:
    """Save the whole text with a note at its end, and see that a writer with an old version is refused."""
    text = document["markdown"].rstrip("\n")
    text += "\n\n> Good to know: every picture in this guide comes out of the recording itself.\n"
    body = {"base_version": document["version"], "markdown": text}
    saved: Json = client.call("PUT", f"/instructions/{document['id']}", body)
    check(saved["version"] == document["version"] + 1, "saving made the next version")
    late = client.http.put(f"/instructions/{document['id']}", json={**body, "markdown": "# Another\n"})
    check(late.status_code == 409 and late.json()["code"] == "VERSION_CONFLICT", "a stale writer is refused")
    return saved


def text_below(document: Json, step: Json) -> str:
    """Return the id of the first block below the heading of a step."""
    ids: list[str] = [block["block_id"] for block in document["blocks"]]
    return ids[ids.index(step["block_id"]) + 1]


def span(step: Json) -> tuple[int, int]:
    return step["start_ms"], step["end_ms"]


def printed(step: Json) -> str:
    """Return the time of a step as the guide prints it: `0:05–0:08`, or `0:05` within a second."""
    times = [f"{time_ms // 60_000}:{time_ms // 1000 % 60:02}" for time_ms in span(step)]
    return "–".join(dict.fromkeys(times))


def table_of(steps: list[Json]) -> Table:
    table = Table("Step", "Title", "Time", "What it rests on", title="The steps after the edits")
    for step in steps:
        table.add_row(str(step["number"]), step["title"], printed(step), step["evidence"]["kind"])
    return table
