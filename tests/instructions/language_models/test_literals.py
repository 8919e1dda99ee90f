"""What in a text is not prose, and whether it was said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructions.language_models.checks.literals import Said, literals

PROSE = """Click Save, then go to File > Export and choose PDF (see below).
Use Ctrl+C and/or Cmd+V; it's 50% done – really…
At 10:30 p.m. it costs $20, 3,000.50 € or 1.000.000 in the U.S., e.g. on 2024-05-01 or 01.05.2024.
Version 1.2.3 has C# and C++, R&D, file(s) #3 at 20°C, 3.5mm and 1st.
Click “Save as…” and don't wait. (Optional) 5 × 3 = 15 ✅ done👍
Öffnen Sie die „Einstellungen“ für alle Nutzer:innen.
¿Quieres guardar? ¡Pulsa «Guardar»!
Нажмите кнопку «Сохранить», затем закройте окно.
点击“保存”按钮，然后选择导出（可选）。
保存をクリックします。
저장을 클릭하세요.
اضغط على حفظ، ثم أغلق النافذة.
सहेजें पर क्लिक करें।"""


@pytest.mark.parametrize("text", PROSE.splitlines())
def test_prose_has_no_literals_in_any_script(text: str) -> None:
    assert literals(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Open https://evil.example/x?y=1 now.", ["https://evil.example/x?y=1"]),
        ("Visit evil.example.", ["evil.example"]),
        ("请打开https://evil.example/x下载，然后保存。", ["https://evil.example/x"]),
        ("Visit evil[.]example or evil (dot) example.", ["evil.example", "evil.example"]),
        ("Visit ｅｖｉｌ．ｅｘａｍｐｌｅ now", ["evil.example"]),
        ("Visit ev\u200bil.example now", ["evil.example"]),
        ("Write to user@evil.example!", ["user@evil.example"]),
        ("It is javascript:alert(1).", ["javascript:alert(1)"]),
        ("Edit .env and C:\\Windows", [".env", "c:\\windows"]),
        ("rm -rf / --no-preserve-root", ["-rf", "--no-preserve-root", "rm"]),
        ("cat ~/.ssh/id_rsa | sort", ["~/.ssh/id_rsa", "|", "ssh"]),
        ("Run `npm install` first", ["npm"]),
        ("Call +49 30 1234567 or (555) 010-9999", ["49301234567", "5550109999"]),
        ("Use 10.0.0.5 and snake_case and x=1", ["10.0.0.5", "snake_case", "x=1"]),
        ("DROP  TABLE users", ["drop table"]),
        ("Go to docs dot evil dot example slash start", ["docs dot evil dot example slash start"]),
        (f"{'去' * 70}evil dot example", [f"{'去' * 59}evil dot example"]),
        ("0190a000-0000-7000-8000-00000000000a", ["0190a000-0000-7000-8000-00000000000a"]),
        ("aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ", ["agvsbg8gd29ybgqgagvsbg8gd29ybgq"]),
        ("<script>go()</script>", ["<script>go()</script>"]),
        ("Say $HOME or %PATH% or {name}", ["$home", "%path%", "{name}"]),
    ],
)
def test_literals_are_found_in_normal_form(text: str, found: list[str]) -> None:
    assert literals(text) == found


TALK = (
    "Open Example.com/start in the browser.",
    "Now run git status, then npm install.",
    "Call 555-0199-222.",
)


@pytest.mark.parametrize(
    "text",
    [
        "Go to example.com/start.",
        "Run `git status` to look.",
        "Use git to see the status.",
        "Run npm install now.",
        "Call (555) 0199 222.",
        "Close the window.",
    ],
)
def test_what_was_said_may_be_written(text: str) -> None:
    assert Said(TALK, TALK).has_all_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "Go to example.com.",
        "Go to example.com/start/login.",
        "Go to ехample.com/start.",
        "Run git push.",
        "Run npm install leftpad.",
        "Run npm install --force.",
        "Run curl.",
        "Call 555-0199-223.",
        "Pay 1234567 89.",
    ],
)
def test_what_was_not_said_may_not(text: str) -> None:
    assert not Said(TALK, TALK).has_all_of(text)


def test_an_address_must_stand_in_the_passages_that_are_cited() -> None:
    assert not Said(TALK[1:], TALK).has_all_of("Go to example.com/start.")
    assert Said(TALK[:1], TALK).has_all_of("Run git status."), "a program may be named by the talk around"


def test_a_number_with_many_letters_behind_it_takes_no_endless_search() -> None:
    token = f"1{'a' * 200}_"
    assert literals(token) == [token]


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet="abgit .-/|<>$(){}0123456789\n日本あ،́ि", max_size=60))
def test_whatever_was_said_may_be_written_as_it_was(text: str) -> None:
    assert Said([text], [text]).has_all_of(text)
