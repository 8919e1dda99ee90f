"""What is found in a line of text, and what is not."""

from __future__ import annotations

import time

import pytest

from anchors.sensitive.patterns import find_in_line, find_name

LETTERS = "Zq7Rk2Wd9Xb4Nf6Tm8Hc3Jv5Lp1Ys0Ga"  # no token: put behind a prefix only here

FOUND = [
    ("email", "anna.lund@example.com", "anna.lund@example.com"),
    ("email", "Mail: a+b_c%d@mail.example.co.uk.", "a+b_c%d@mail.example.co.uk"),
    ("email", "<o'hara@example.org>", "o'hara@example.org"),
    ("email", "jörg@münster.example", "jörg@münster.example"),
    ("email", "write to ann@example.com. Thanks", "ann@example.com"),
    ("email", "anna.lund @example.com", "anna.lund @example.com"),
    ("email", "anna.lund@ example.com", "anna.lund@ example.com"),
    ("email", "anna.lund@example. com", "anna.lund@example. com"),
    ("email", "anna. lund@example.com", "anna. lund@example.com"),
    ("email", "anna@example,com", "anna@example,com"),
    ("card", "4111 1111 1111 1111", "4111 1111 1111 1111"),
    ("card", "4111-1111-1111-1111", "4111-1111-1111-1111"),
    ("card", "Card 4111111111111111 12/29", "4111111111111111"),
    ("card", "Visa 4111 1111 1111 1111 12/29 123", "4111 1111 1111 1111"),
    ("card", "4111 1111 1111 1111 12 29", "4111 1111 1111 1111"),
    ("card", "3782 822463 10005", "3782 822463 10005"),
    ("card", "5555 5555 5555 4444", "5555 5555 5555 4444"),
    ("card", "2223 0031 2200 3222", "2223 0031 2200 3222"),
    ("card", "6011 0009 9013 9424", "6011 0009 9013 9424"),
    ("card", "3530 1113 3330 0000", "3530 1113 3330 0000"),
    ("card", "3056 930902 5904", "3056 930902 5904"),
    ("card", "6200 0000 0000 0005", "6200 0000 0000 0005"),
    ("card", "4l1l 1111 1111 1111", "4l1l 1111 1111 1111"),
    ("card", "6O11 OOO9 9013 9424", "6O11 OOO9 9013 9424"),
    ("card", "41 11 1111 1111 11 11", "41 11 1111 1111 11 11"),
    ("token", f"sk-{LETTERS}", f"sk-{LETTERS}"),
    ("token", f"key sk-proj-{LETTERS}", f"sk-proj-{LETTERS}"),
    ("token", f"sk_live_{LETTERS}", f"sk_live_{LETTERS}"),
    ("token", f"ghp_{LETTERS}", f"ghp_{LETTERS}"),
    ("token", f"ghp {LETTERS}", f"ghp {LETTERS}"),
    ("token", f"github_pat_{LETTERS}", f"github_pat_{LETTERS}"),
    ("token", f"glpat-{LETTERS[:20]}", f"glpat-{LETTERS[:20]}"),
    ("token", "AKIA" + "Q7RK2WD9XB4NF6TM", "AKIA" + "Q7RK2WD9XB4NF6TM"),
    ("token", "AKlA" + "Q7RK2WD9XB4NF6TM", "AKlA" + "Q7RK2WD9XB4NF6TM"),
    ("token", f"xoxb-{LETTERS}", f"xoxb-{LETTERS}"),
    ("token", f"eyJhbGciOiJIUzI1NiJ9.{LETTERS}.{LETTERS}", f"eyJhbGciOiJIUzI1NiJ9.{LETTERS}.{LETTERS}"),
    ("token", f"swt_{LETTERS}", f"swt_{LETTERS}"),
    ("token", f"swt_{LETTERS[:16]} {LETTERS[16:]}", f"swt_{LETTERS[:16]} {LETTERS[16:]}"),
    ("token", "-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----"),
    ("token", f"value {LETTERS}", LETTERS),
    ("token", f"{LETTERS}+/{LETTERS}==", f"{LETTERS}+/{LETTERS}=="),
    ("token", "password: hunter2hunter", "hunter2hunter"),
    ("token", 'API_KEY="ab12cd34ef"', "ab12cd34ef"),
    ("token", f"Authorization: Bearer {LETTERS}", LETTERS),
    ("token", "9f86d081884c7d659a2feaa0c55ad015", "9f86d081884c7d659a2feaa0c55ad015"),
    ("phone", "+44 20 7946 0958", "+44 20 7946 0958"),
    ("phone", "+1 (415) 555-0132", "+1 (415) 555-0132"),
    ("phone", "+442079460958", "+442079460958"),
    ("phone", "+49 (0)30 23125 123", "+49 (0)30 23125 123"),
    ("phone", "+46 8 465 004 15, Mo-Fr", "+46 8 465 004 15"),
    ("phone", "+44 2O 7946 O958", "+44 2O 7946 O958"),
    ("phone", "0044 20 7946 0958", "0044 20 7946 0958"),
    ("phone", "(212) 555-0123", "(212) 555-0123"),
    ("phone", "212-555-0123", "212-555-0123"),
    ("phone", "212.555.0123", "212.555.0123"),
    ("phone", "1-212-555-0123", "1-212-555-0123"),
    ("phone", "020 7946 0958", "020 7946 0958"),
    ("phone", "01632 960123", "01632 960123"),
    ("phone", "030/23125 123", "030/23125 123"),
    ("phone", "01 99 00 12 27", "01 99 00 12 27"),
    ("phone", "Tel. 23125123", "23125123"),
    ("phone", "Mobile: 0171 2345678", "0171 2345678"),
]

NOTHING = [
    "anna.lund",
    "@anna",
    "anna at example.com",
    "anna.lundexample.com",
    "icon@2x.png",
    "user@host",
    "root@db1:~$",
    "lodash@4.17.21",
    "@types/node",
    "git@github.com:acme/tools.git",
    "a***@example.com",
    "••••@example.com",
    "5 @ 3.20",
    "4111 1111 1111 1112",
    "1234 5678 9012 3456",
    "**** **** **** 1111",
    "4111 11** **** 1111",
    "4111 **** **** 1111",
    "0000 0000 0000 0000",
    "9111 1111 1111 1111",
    "4111 1111 1111",
    "•••• 4242",
    "4111.1111.1111.1111x",
    "IBAN DE89 3704 0044 0532 0130 00",
    "sk-learn-contrib-examples-gallery",
    "ask-somebody-else",
    "ghp_",
    "AKIA",
    "550e8400-e29b-41d4-a716-446655440000",
    "commit 9f86d081884c7d659a2feaa0c55ad0159f86d081",
    "9f86d081884c7d659a2feaa0c55ad0159f86d081",
    "sha256 9f86d081884c7d659a2feaa0c55ad015",
    "InternationalisationOfTables",
    "/usr/share/fonts/truetype/noto/files",
    "2026-11-26T12-30-00-recording-of-the-shop",
    "Password: at least 8 signs",
    "Password must have 8 characters",
    "token: none",
    "IMG_20261126_123456_holiday.jpg",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "2026-11-26",
    "26.11.2026",
    "26/11/2026 12:30",
    "11/26/2026",
    "01.02.2026 10:15",
    "2026-11-26 12:30:45",
    "10:15:30",
    "1 234 567.00",
    "$ 212-555-0123",
    "0.50 EUR",
    "€ 1.234.567,00",
    "012 345 678 kB",
    "192.168.100.200",
    "10.0.0.1",
    "255.255.255.255",
    "10.15.7.1",
    "v1.20.300.4000",
    "Order 212-555-0123",
    "Invoice no. 020 7946 0958",
    "#0171 2345678",
    "INV-2026-77660",
    "Order 85516940",
    "1990 - 2020",
    "100 200 300",
    "12345678",
    "978-3-16-148410-0",
    "Ref: 030 23125 123",
    "000 000 000",
    "1920x1080",
    "+1",
    "+ 5 items",
    "1 + 2 = 3",
    "98 %",
    "+12.5 %",
    "Row 12 of 345",
    "3-4 weeks",
    "Build 0171 234567",
    "Shipping and returns",
    "",
]


@pytest.mark.parametrize(("kind", "text", "part"), FOUND)
def test_what_should_be_hidden_is_found(kind: str, text: str, part: str) -> None:
    (match,) = find_in_line(text)
    assert (match.kind, text[match.start : match.end]) == (kind, part)
    assert 0.4 <= match.confidence <= 1


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_harmless_is_left(text: str) -> None:
    assert find_in_line(text) == []


def test_several_on_one_line_are_found_in_order() -> None:
    text = "anna@example.com, +44 20 7946 0958 or bo@example.org; 4111 1111 1111 1111"
    assert [match.kind for match in find_in_line(text)] == ["email", "phone", "email", "card"]


@pytest.mark.parametrize(
    "text", ["x" * 5000, "a@" * 2000, "1 " * 3000, "+1 (" * 2000, "a." * 3000, "1-" * 3000 + "x"]
)
def test_long_lines_are_searched_quickly(text: str) -> None:
    began = time.process_time()
    find_in_line(text)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "text", ["Anna Lund", "Amara van der Berg", "Liv O'Hara", "Jo B. Castelmar", "Zoë Brand-Holt"]
)
def test_names_are_capitalised_words(text: str) -> None:
    found = find_name(text)
    assert found is not None and text[: found.end] == text


@pytest.mark.parametrize(
    "text", ["New Order", "User Settings", "anna lund", "Anna", "SALES REPORT", "Anna paid 5", "Your Name"]
)
def test_titles_of_menus_are_no_names(text: str) -> None:
    assert find_name(text) is None


def test_a_name_may_have_a_time_behind_it() -> None:
    found = find_name("Anna Lund 10:42")
    assert found is not None and (found.start, found.end) == (0, 9)
