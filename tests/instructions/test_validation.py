"""Validation: each code is found where it is, and nothing is found in a good guide."""

from __future__ import annotations

import re
import time
import uuid

import pytest

from instructions.blocks import ensure_markers
from instructions.validation import MAX_ISSUES, VALIDATOR_VERSION, validate

GOOD = """# Send an invoice

How to send one. <!-- a plain comment -->

<!-- another
one -->

## Part one

### Step 1: Open the list (0:01–0:04)

Open [the list](https://example.org/list?a=1&b=2#c), or <https://example.org>,
or [write](mailto:a@example.org).

![The list](asset:0190a000-0000-7000-8000-00000000000a)

### Step 2: Print (0:04)

![dot](data:image/png;base64,iVBORw0KGgo=) ![web](https://example.org/a.png) ![local](images/my%20list.png)

#### Note

`<script>` is only code, and so is

    <script>alert(1)</script>

## Part two

### Step 3: Close (0:09)

| `a` | b |
|-----|---|
| 1   | 2 |
"""
IMAGES = {"asset:0190a000-0000-7000-8000-00000000000a", "images/my list.png"}


def found(markdown: str, known_images: set[str] | None = None) -> list[tuple[str, str]]:
    return [(issue.code, issue.path) for issue in validate(markdown, known_images or ())]


def test_a_good_guide_has_no_issues_with_or_without_markers() -> None:
    assert found(GOOD, IMAGES) == []
    assert found(ensure_markers(GOOD, lambda: str(uuid.uuid4())), IMAGES) == []


START = "# T\n\n## Step 1: A\n\ntext\n\n"


@pytest.mark.parametrize(
    ("markdown", "issues"),
    [
        ("", [("MISSING_TITLE", "document"), ("NO_STEPS", "document")]),
        ("# T\n\ntext", [("NO_STEPS", "document")]),
        ("text\n\n# T\n\n## 1. A\n\ntext", [("MISSING_TITLE", "document")]),
        ("## T\n\n## 1. A\n\ntext", [("MISSING_TITLE", "document")]),
        ("#\n\n## 1. A\n\ntext", [("MISSING_TITLE", "document")]),
        ("<!-- c -->\n\nT\n===\n\n## 1. A\n\ntext", []),
        ("# 1. T\n\n## 1. A\n\ntext", []),
        (START + "## Step 2: B\n\n### Note\n\n***\n\n<!-- c -->\n", [("EMPTY_STEP", "step 2")]),
        (START + "## Step 2: B\n\n## Step 3: C\n\n- c", [("EMPTY_STEP", "step 2")]),
        (START + "## Step 2: B\n\n![](https://x/a.png)", []),
        (START + "## Step 3: C\n\ntext\n\n## Step 4: D\n\ntext", [("STEP_OUT_OF_SEQUENCE", "step 3")]),
        (START + "## Step 1: C\n\ntext", [("STEP_OUT_OF_SEQUENCE", "step 1")]),
        ("# T\n\n## Step 2: A\n\ntext", [("STEP_OUT_OF_SEQUENCE", "step 2")]),
        (START + "## Part\n\n### Step 1: C\n\ntext", [("STEP_OUT_OF_SEQUENCE", "step 1")]),
        (START + "### 1. in\n\nx\n\n### 2. in\n\nx\n\n## Step 2: B\n\n### 1. in\n\nx", []),
        (START + "### 2. in\n\ntext\n\n## Step 2: B\n\ntext", [("STEP_OUT_OF_SEQUENCE", "step 2")]),
        (START + "## Part\n\n#### Deep\n\ntext", [("HEADING_LEVEL_SKIPPED", "block 5")]),
        ("### T\n\n### 1. A\n\nx", [("MISSING_TITLE", "document"), ("HEADING_LEVEL_SKIPPED", "block 1")]),
        (START + "#### Deep\n\ntext", [("HEADING_LEVEL_SKIPPED", "step 1")]),
    ],
)
def test_the_structure_is_checked(markdown: str, issues: list[tuple[str, str]]) -> None:
    assert found(markdown) == issues


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<div>\n\nx\n\n</div>",
        "text <b>bold</b>",
        "- <img src=x onerror=alert(1)>",
        "> <iframe src='https://x'></iframe>",
        "| a |\n|---|\n| <u>x</u> |",
        "<!-- ok --> <img src=x>",
        "<!--> <img src=x onerror=alert(1)> -->",
        "<!---> <img src=x onerror=alert(1)> -->",
        "<!-- x --!> <img src=x onerror=alert(1)> -->",
        "<!-- never closed",
        "<?php x ?>",
        "<!DOCTYPE html>",
        "<![CDATA[ x ]]>",
        "[" * 500 + "<img src=x onerror=alert(1)>",
    ],
)
def test_html_other_than_comments_is_unsafe(html: str) -> None:
    assert found(START + html) == [("UNSAFE_HTML", "step 1")]
    assert ("UNSAFE_HTML", "block 2") in found("# T\n\n" + html)


@pytest.mark.parametrize(
    "link",
    [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](<java script:alert(1)>)",
        "[x](<java\tscript:alert(1)>)",
        "[x](java&#10;script:alert(1))",
        "[x](&#x6A;avascript&colon;alert(1))",
        "[x](javascript\\:alert(1))",
        "[x](vbscript:x)",
        "[x](file:///etc/passwd)",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](data:image/svg+xml;base64,AAAA)",
        "![x](javascript:alert(1))",
        "![x](data:text/html;base64,AAAA)",
        "<javascript:alert(1)>",
        "[x][r]\n\n[r]: javascript:alert(1)",
        "[r]: <javascript:alert(1)>\n\n[r]",
        "- **[x](javascript:alert(1))**",
        "| a |\n|---|\n| [x](javascript:x) |",
        "[![x](https://x/a.png)](javascript:alert(1))",
        "[" * 500 + "x](java&#115;cript:alert)",
        "[" * 500 + "x][r]\n\n[r]: javascript:alert(1)",
    ],
)
def test_links_that_could_run_or_read_something_are_unsafe(link: str) -> None:
    assert found(START + link) == [("UNSAFE_LINK", "step 1")]


@pytest.mark.parametrize(
    "text",
    [
        "The javascript: scheme is not a link here, nor is [this] one",
        "`[x](javascript:alert(1))`",
        "```\n[x](javascript:alert(1)) <b>\n```",
        "\\[x](javascript:alert(1))",
        "[x](/javascript:alert) [x](https://x/?u=javascript:1) [x](#javascript:)",
        "[x](data:image/png;base64,AAAA)",
        "a < b and c > d, [ok](https://x)",
        "<svg/onload=alert(1)> is no tag to CommonMark, and [x](&#1;javascript:x) no scheme",
        "\\<b> and &lt;script&gt; [ok](https://x)",
    ],
)
def test_text_that_only_speaks_of_such_things_is_safe(text: str) -> None:
    assert found(START + text) == []


@pytest.mark.parametrize(
    ("target", "is_broken"),
    [
        ("", True),
        ("<>", True),
        ("#part", True),
        ("images/gone.png", True),
        ("asset:0190a000-0000-7000-8000-00000000000f", True),
        ("asset:0190a000-0000-7000-8000-00000000000a", False),
        ("images/my%20list.png", False),
        ("<images/my list.png>", False),
        ("http://example.org/a.png", False),
        ("//example.org/a.png", False),
    ],
)
def test_pictures_must_exist(target: str, is_broken: bool) -> None:
    assert found(f"{START}![x]({target})", IMAGES) == [("BROKEN_IMAGE_REF", "step 1")] * is_broken


def test_issues_come_in_order_once_a_place_and_quote_nothing() -> None:
    secret = "hunter2"
    markdown = (
        f"{secret}\n\n## Step 1: {secret}\n\n[{secret}](javascript:{secret}) [b](file:{secret})\n\n"
        f"### Step 9: {secret}\n\n<b>{secret}</b>\n\n<i>{secret}</i>\n\n"
        f"## {secret}\n\n![{secret}]({secret}.png)\n"
    )
    issues = validate(markdown)
    assert [(issue.code, issue.path) for issue in issues] == [
        ("MISSING_TITLE", "document"),
        ("UNSAFE_LINK", "step 1"),
        ("STEP_OUT_OF_SEQUENCE", "step 9"),
        ("UNSAFE_HTML", "step 9"),
        ("BROKEN_IMAGE_REF", "block 8"),
    ]
    assert not any(secret in issue.message + issue.path for issue in issues)
    assert all(re.fullmatch(r"[A-Z].*\.", issue.message) for issue in issues)


def test_the_list_of_issues_is_bounded() -> None:
    assert len(validate("# T\n\n" + "<b>\n\n" * 1000)) == MAX_ISSUES
    assert VALIDATOR_VERSION


HOSTILE = (
    "[",
    "]![a",
    "![a" * 3000 + "]\n\n",
    "[a][",
    "<!-- ",
    "# " + "[" * 400 + "\n",
    "[](" * 90 + "<\n\n",
)


@pytest.mark.soak
@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_megabyte_made_to_be_slow_is_answered_in_seconds(hostile: str) -> None:
    markdown = hostile * ((1 << 20) // len(hostile))
    started = time.perf_counter()
    validate(markdown)
    assert time.perf_counter() - started < 10  # without the limits: minutes
