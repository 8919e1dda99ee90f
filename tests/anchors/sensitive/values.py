"""Invented values for drawn screens: made anew from a seed, so that no card number or token stands in a file."""

from __future__ import annotations

import string
from random import Random

FIRST = [
    "Amara",
    "Bjarte",
    "Celina",
    "Dorota",
    "Emre",
    "Fiona",
    "Gustaf",
    "Hana",
    "Ivo",
    "Jolanda",
    "Kwame",
    "Liv",
]
LAST = [
    "Aldermoor",
    "Brandvik",
    "Castelmar",
    "Dunfield",
    "Ekholt",
    "Farnsby",
    "Grevelin",
    "Holtback",
    "Islay",
    "Jurva",
]
HOSTS = ["example.com", "mail.example.org", "example.net", "harbour-tools.example.com", "kvarn.example.org"]

# Numbers that are set aside for use in stories, in the ways in which people write them; the second list is for the
# screens that are set apart.
PHONES = [
    [
        "+44 20 7946 0{:03d}",
        "(212) 555-01{:02d}",
        "+1 415 555 01{:02d}",
        "01632 960{:03d}",
        "+49 30 23125 {:03d}",
    ],
    [
        "020 7946 0{:03d}",
        "+1 (206) 555-01{:02d}",
        "+46 8 465 004 {:02d}",
        "312-555-01{:02d}",
        "01 99 00 {:02d} 27",
    ],
]
_CARDS = [("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("34", 15), ("6011", 16)]
_TOKENS = [
    [("sk-", 40), ("ghp_", 36), ("AKIA", 16), ("swt_", 32)],
    [("sk_live_", 24), ("github_pat_", 50), ("xoxb-", 40), ("glpat-", 20)],
]


def person(random: Random) -> str:
    return f"{random.choice(FIRST)} {random.choice(LAST)}"


def email(random: Random, name: str) -> str:
    first, last = name.lower().split()
    local = random.choice(
        [f"{first}.{last}", f"{first[0]}{last}", f"{first}_{last[0]}", f"{first}{random.randint(2, 99)}"]
    )
    return f"{local}@{random.choice(HOSTS)}"


def phone(random: Random, half: int) -> str:
    form = random.choice(PHONES[half])
    return form.format(random.randint(10, 99) if "02d" in form else random.randint(100, 999))


def card(random: Random) -> str:
    """A number with a right check digit, in groups or in one."""
    prefix, length = random.choice(_CARDS)
    digits = prefix + "".join(str(random.randint(0, 9)) for _ in range(length - len(prefix) - 1))
    digits += next(str(last) for last in range(10) if luhn_sum(f"{digits}{last}") % 10 == 0)
    cuts = [4, 10] if length == 15 else [4, 8, 12]
    groups = [digits[start:end] for start, end in zip([0, *cuts], [*cuts, length], strict=True)]
    return random.choice([" ", " ", "-", ""]).join(groups)


def luhn_sum(digits: str) -> int:
    """The sum of ISO/IEC 7812-1, annex B."""
    doubled = [int(digit) * (2 if at % 2 else 1) for at, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled)


def token(random: Random, half: int) -> str:
    prefix, length = random.choice(_TOKENS[half])
    letters = (
        string.ascii_uppercase + string.digits if prefix == "AKIA" else string.ascii_letters + string.digits
    )
    return prefix + "".join(random.choice(letters) for _ in range(length))


def harmless(random: Random) -> str:
    """Numbers and strings as they stand on every screen, which nobody needs to hide."""
    number = random.randint
    return random.choice(
        [
            f"2026-{number(1, 12):02d}-{number(1, 28):02d}",
            f"{number(1, 28):02d}/{number(1, 12):02d}/2026 {number(10, 23)}:{number(10, 59)}",
            f"€ {number(1, 9)},{number(100, 999)}.{number(10, 99)}",
            f"Order {number(10_000_000, 99_999_999)}",
            f"INV-2026-{number(10_000, 99_999)}",
            f"10.{number(0, 255)}.{number(0, 255)}.{number(1, 254)}",
            f"v{number(1, 20)}.{number(0, 30)}.{number(0, 9)}",
            f"{number(1, 9)} {number(100, 999)} {number(100, 999)} kB",
            "Shipping and returns",
            "Last updated 3 days ago",
            "**** **** **** 4242",
            "README.md",
        ]
    )
