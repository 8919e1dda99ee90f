"""Which texts are too complex: found without parsing, at save and in drafts."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from config.api.errors import ApiError
from instructions.blocks import parse_blocks, read_outline
from instructions.complexity import (
    MAX_BLOCKS,
    MAX_LINES,
    MAX_MARKS,
    MAX_NESTING,
    DocumentTooComplex,
    check_complexity,
)
from instructions.parser import MAX_WORK
from instructions.services.versions import prepare_text
from jobs.models import Job
from jobs.states import JobStatus
from tests.callbacks import send
from tests.factories import Api, make_job
from tests.instructions.documents import make_document

BLOCKS = {
    "paragraphs": "a\n\n",
    "headings": "# a\n",
    "items": "- a\n",
    "numbered items": "1. a\n",
    "quotations": "> a\n\n",
    "items within a quotation": "> - a\n",
    "tables": "|a|\n|-|\n\n",
    "fences": "```\na\n```\n",
    "rules": "---\n\n",
    "html": "<p>\n\n",
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_text_has_at_most_5000_blocks(block: str) -> None:
    check_complexity(block * MAX_BLOCKS)
    with pytest.raises(DocumentTooComplex):
        check_complexity(block * (MAX_BLOCKS + 1))


@pytest.mark.parametrize("level", ["> ", "- ", "1. "])
def test_a_text_is_nested_at_most_64_levels_deep(level: str) -> None:
    check_complexity(level * MAX_NESTING + "a")
    with pytest.raises(DocumentTooComplex):
        check_complexity(level * (MAX_NESTING + 1) + "a")


def test_lists_that_are_nested_line_by_line_are_found_too() -> None:
    levels = [f"{'  ' * depth}- a\n" for depth in range(MAX_NESTING + 1)]
    check_complexity("".join(levels[:MAX_NESTING]))
    with pytest.raises(DocumentTooComplex):
        check_complexity("".join(levels))


@pytest.mark.parametrize(
    "text",
    [
        "```\n" + "a\n\n- b\n\n" * 4900 + "```\n",
        "~~~ python\n" + "# a\n" * 9000 + "```\n" + "~~~~\n",
        "a\n" * 9000,
        "| a |\n|---|\n" + "| b |\n" * 9000,
        "<!-- block:01993c5e-7a10-7c3b-9d52-4e1f6a7b8c9d -->\n" * 9000,
    ],
    ids=["code", "longer fence", "one paragraph", "one table", "markers"],
)
def test_a_long_text_of_few_blocks_is_taken(text: str) -> None:
    check_complexity(text)


@pytest.mark.parametrize("line", ["a\n", "    a\n", "<!-- block:x -->\n"])
def test_a_text_has_at_most_20000_lines_and_as_many_markers(line: str) -> None:
    check_complexity(line * MAX_LINES)
    with pytest.raises(DocumentTooComplex, match="lines"):
        check_complexity(line * (MAX_LINES + 1))


@pytest.mark.parametrize("mark", list("`*_[]<&~\\!-:=#+@>$%^{}"))
def test_a_text_has_at_most_100000_marks_outside_of_code(mark: str) -> None:
    line = f"a {mark * 100} a\n"
    check_complexity(line * (MAX_MARKS // 100))
    check_complexity(f"```\n{line * 9000}```\n")
    with pytest.raises(DocumentTooComplex, match="marks"):
        check_complexity(line * (MAX_MARKS // 100) + mark)


FALSE_FENCES = {
    "a backtick in the info string": "``` a`b\n",
    "in a comment": "<!--\n```\n-->\n",
    "in a script": "<script>\n\n```\n</script>\n",
    "in HTML up to a blank line": "<div>\n```\n\n",
    "after a separator that ends no line": "x\u2028``` \n\n",
    "a closing that is none": "```\n```\u2028\n```\n",
}


@pytest.mark.parametrize("opening", FALSE_FENCES.values(), ids=FALSE_FENCES)
def test_what_opens_no_code_fence_hides_no_blocks(opening: str) -> None:
    check_complexity(opening + "- a\n" * (MAX_BLOCKS - 5))
    with pytest.raises(DocumentTooComplex, match="blocks"):
        check_complexity(opening + "- a\n" * (MAX_BLOCKS + 5))


def test_lines_are_those_of_the_parser() -> None:
    check_complexity("a\u2028\x0b\x0c\x85" * MAX_LINES)
    for end in ("\n", "\r", "\r\n"):
        check_complexity(f"a{end}" * MAX_LINES)
        with pytest.raises(DocumentTooComplex, match="lines"):
            check_complexity(f"a{end}" * (MAX_LINES + 1))


# Each within the limits of the line scan; without a limit of work a save takes 2 to 60 s.
DEAR = {
    "quotations in a list's fence": "- a\n  ```\nb\n" + (">" * 60 + "a\n\n") * 9000,
    "lists in lists": ("1) " * 30 + "a\n\n") * 4990,
    "lines that a quotation takes in": ">" * 64 + "a\n" + "a\n" * 19000,
    "wide tables with short rows": (("|a" * 1000 + "\n" + "|-" * 1000 + "\n" + "a\n" * 64) + "\n") * 24,
    "a table of 100,000 cells": "|a" * 50 + "\n" + "|-" * 50 + "\n" + ("|a" * 50 + "\n") * 1900,
    "definitions of links": "# a\n\n" + "[a]: b\n" * 19_900,
    "what may be a rule, in quotations": ">" * 64 + "a\n" + ("**" + " " * 10_000 + "a\n") * 90,
}


@pytest.mark.parametrize("text", DEAR.values(), ids=DEAR)
def test_a_text_that_takes_too_much_work_is_refused_midway(text: str) -> None:
    check_complexity(text)
    begin = time.thread_time()
    with pytest.raises(ApiError) as refused:
        prepare_text(text)
    assert time.thread_time() - begin < 10
    assert refused.value.code == "DOCUMENT_TOO_COMPLEX"
    assert f"{MAX_WORK:,} steps" in refused.value.message


@pytest.mark.parametrize("block", [*BLOCKS.values(), "| a | b |\n|---|---|\n| 1 | 2 |\n\n"])
def test_5000_blocks_of_any_kind_are_within_the_work(block: str) -> None:
    read_outline(block * MAX_BLOCKS, max_work=MAX_WORK)


def test_marks_that_the_scan_takes_for_code_are_found_by_the_parser() -> None:
    text = "- a\n  ```\n" + f"b {'*' * 1000}\n" * (MAX_MARKS // 1000 + 1)
    check_complexity(text)
    with pytest.raises(ApiError) as refused:
        prepare_text(text)
    assert "marks" in refused.value.message


GUIDE_STEP = """## Step {0}: Open the page (0:{0})

Press **Save** in the [menu](https://example.org/{0}).

1. Do this
   - and that
     - and also
       1. at last

   ```
   run --with=this
   ```

| Field | Value |
|-------|-------|
| a     | `b`   |

> Take care.

```python
def f(a):

    # > nothing
    return a[0] * a_b
```

"""


def test_a_guide_of_200_steps_is_taken() -> None:
    text = "# Guide\n\n" + "".join(GUIDE_STEP.format(number) for number in range(1, 201))
    assert sum(block.kind == "step" for block in prepare_text(text).blocks) == 200


def test_15000_lines_of_code_are_taken() -> None:
    code = "    if a[b] * c_d > -1:  # >>>\n\n- x: [*y]\n" * 5000
    assert [block.kind for block in prepare_text(f"Text:\n\n```yaml\n{code}```\n").blocks] == [
        "paragraph",
        "code",
    ]


PIECES = [
    *("", ">" * 20, ">" * 64, "> ", "- ", "- " * 40, "1) " * 20, "  ", " " * 80, "\t", "- > " * 20),
    *(
        "a",
        "# a",
        "```",
        "``` a`b",
        "~~~",
        "<!--",
        "-->",
        "<div>",
        "---",
        "===",
        "[a]: b",
        "'c",
        "[",
        "![a](b)",
        "<?",
    ),
    *(
        "|a",
        "|a" * 200,
        "|-" * 200,
        "**" + " " * 500 + "a",
        "\n",
        "\n",
        "\n\n",
        "\r",
        "\r\n",
        "\n \n",
        "\u2028``` ",
    ),
]


@pytest.mark.soak
@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8), st.integers(1, 5000)), max_size=6
    )
)
def test_no_text_takes_long_to_prepare(runs: list[tuple[list[str], int]]) -> None:
    text = "".join("".join(pieces) * times for pieces, times in runs)[: 2**20]
    begin = time.thread_time()
    with contextlib.suppress(ApiError):
        prepare_text(text)
    assert time.thread_time() - begin < 3  # 1.5 s when nothing else runs


@settings(deadline=None)
@given(st.text(alphabet="a \n\t#->`~*1.|_=<!-\\", max_size=400))
def test_no_text_has_more_blocks_than_are_counted(text: str) -> None:
    counted = count(text)
    # Definitions of links and the like make a parser find fewer; a setext underline or a rule is one more at most.
    assert len([block for block in parse_blocks(text) if block.kind != "step"]) <= 2 * counted + 1


def count(text: str) -> int:
    """How many blocks `check_complexity` finds: by how many more it takes."""
    low, high = 0, MAX_BLOCKS
    while low < high:
        middle = (low + high) // 2
        try:
            check_complexity("a\n\n" * (MAX_BLOCKS - middle) + text)
            high = middle
        except DocumentTooComplex:
            low = middle + 1
    return low


def test_a_save_that_is_too_complex_is_400_before_it_is_parsed(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = make_document(owner)
    monkeypatch.setattr(MarkdownIt, "parse", lambda *_: pytest.fail("parsed"))
    body = {"base_version": 1, "markdown": "a\n\n" * (MAX_BLOCKS + 1)}
    refused = owner.put(f"/instructions/{document['id']}", body)
    assert (refused.status_code, refused.json()["code"]) == (400, "DOCUMENT_TOO_COMPLEX")
    assert refused.json()["hint"]
    assert owner.get(f"/instructions/{document['id']}").json()["version"] == 1


def test_a_save_on_an_old_version_is_refused_before_it_is_parsed(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/instructions/{make_document(owner)['id']}"
    assert owner.put(path, {"base_version": 1, "markdown": "# A\n"}).status_code == 200
    monkeypatch.setattr(MarkdownIt, "parse", lambda *_: pytest.fail("parsed"))
    stale = owner.put(path, {"base_version": 1, "markdown": "# B\n"})
    assert (stale.status_code, stale.json()["code"]) == (409, "VERSION_CONFLICT")
    changed = owner.put(path, {"base_version": 2, "markdown": "# B\n"}, if_match='"1"')
    assert changed.status_code == 412


def test_a_text_with_its_markers_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    marked = prepare_text("# A\n\n## Step 1: b\n\n![c](d)\n")
    parsed, parse = [], MarkdownIt.parse
    monkeypatch.setattr(MarkdownIt, "parse", lambda *given: parsed.append(given) or parse(*given))
    again = prepare_text(marked.markdown)
    assert again == marked
    assert len(parsed) == 1


@pytest.mark.parametrize("markdown", ["- a\n" * (MAX_BLOCKS + 1), DEAR["lines that a quotation takes in"]])
def test_a_draft_that_is_too_complex_is_400_and_changes_nothing(db: None, markdown: str) -> None:
    job = make_job(JobStatus.GENERATING)
    draft = {"markdown": markdown}
    refused = send(job, "DRAFT_READY", artifact_updates={"draft": draft})
    assert (refused.status_code, refused.json()["code"]) == (400, "DOCUMENT_TOO_COMPLEX")
    now = Job.objects.get(pk=job.pk)
    assert (now.status, now.instruction_id, now.artifacts.filter(kind="draft").count()) == (
        "GENERATING",
        None,
        0,
    )


def test_a_document_of_5000_blocks_can_be_saved_again_with_a_line_more(owner: Api) -> None:
    """Its markers are 260 KB; they count neither as blocks nor as bytes."""
    document = make_document(owner)
    words = "word " * 38
    text = f"{words}\n\n" * (MAX_BLOCKS - 1)
    first = owner.put(f"/instructions/{document['id']}", {"base_version": 1, "markdown": text})
    assert first.status_code == 200, first.content[:300]
    saved: dict[str, Any] = first.json()
    assert len(saved["markdown"].encode()) > 2**20
    again = owner.put(
        f"/instructions/{document['id']}", {"base_version": 2, "markdown": saved["markdown"] + "\nMore.\n"}
    )
    assert again.status_code == 200, again.content[:300]


def test_reading_a_document_parses_nothing(owner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    document = make_document(owner)
    monkeypatch.setattr("instructions.blocks.read_outline", lambda *_: pytest.fail("parsed"))
    assert owner.get(f"/instructions/{document['id']}").json()["blocks"] == document["blocks"] != []


def test_lines_and_markers_are_counted_apart() -> None:
    check_complexity("a\n" * 15_000 + "<!-- block:x -->\n" * 15_000)
