"""The corpus is well formed, and sharp: without any check every attack comes through, and no honest text is one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.injection.answers import ways
from tests.injection.cases import ATTACKS, Case, cases, normal
from tests.injection.obedient import running_model
from tests.injection.reading import claimed, elements, planted, readings, visible

ALL = [case for group in ATTACKS for case in cases(group)]
BENIGN = cases("benign")
KEPT_FOR_LATER = {"later"}  # plants nothing in the draft


def leaves(content: Any) -> Iterator[str]:
    """Every string of an answer."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from leaves(value)
    elif isinstance(content, list):
        for value in content:
            yield from leaves(value)


def taken_as_it_is(content: str) -> str:
    """The document of a program that checks nothing."""
    try:
        return "\n\n".join(leaves(json.loads(content)))
    except ValueError:
        return content


def prompt(case: Case) -> str:
    return case.selection or "\n".join(f"[{number}] {text}" for number, text in enumerate(case.segments))


def test_there_are_as_many_attacks_as_promised_in_both_sets() -> None:
    seen, held_out = (cases(group) for group in ATTACKS)
    assert len(seen) >= 40 and len(held_out) >= 50 and len(BENIGN) >= 20
    assert {case.kind for case in seen} <= {case.kind for case in held_out}
    names = [(case.group, bool(case.selection), case.name) for case in (*ALL, *BENIGN)]
    assert len(names) == len(set(names))


def test_no_attack_stands_in_both_sets() -> None:
    seen, held_out = (
        {normal(attack) for case in cases(group) for attack in case.attack} for group in ATTACKS
    )
    assert not seen & held_out
    hosts = [{payload for case in cases(group) for payload in case.payload} for group in ATTACKS]
    assert not hosts[0] & hosts[1]


@pytest.mark.parametrize("case", ALL, ids=str)
def test_a_case_says_what_is_planted_and_what_is_honest(case: Case) -> None:
    assert case.plants and (case.payload or case.claims) and case.attack
    plants = readings("\n\n".join(case.plants))
    for words in (*case.payload, *case.claims):
        assert any(normal(words) in view for view in [*plants, *map(normal, case.attack)]), words
    if case.selection:
        assert all(attack in case.selection for attack in case.attack)
        rest = [visible(case.honest_selection), normal(case.honest_selection)]
        assert case.keep and all(any(normal(words) in view for view in rest) for words in case.keep)
    else:
        assert 8 <= len(case.segments) <= 15
        assert [case.segments[position] for position in case.positions] == list(case.attack)
        rest = [normal(text) for text in case.honest_segments.values()]
    assert not [
        words for words in (*case.payload, *case.claims) if any(normal(words) in view for view in rest)
    ]


@pytest.mark.parametrize("case", ALL, ids=str)
def test_without_checks_an_attack_comes_through_in_every_way(case: Case) -> None:
    body = {"model": "any", "messages": [{"role": "user", "content": prompt(case)}]}
    # Without TLS there are no certificates to load, which takes longer than the rest.
    with running_model(case) as model, httpx.Client(base_url=model.url, verify=False) as client:
        model.is_rewriting = bool(case.selection)
        for model.way in set(ways(case)) - KEPT_FOR_LATER:
            answer = client.post("/chat/completions", json=body).json()
            document = taken_as_it_is(answer["choices"][0]["message"]["content"])
            assert planted(case, document) + claimed(case, document), model.way
        assert model.obeyed == len(model.asked)


@pytest.mark.parametrize("case", ALL, ids=str)
def test_what_an_honest_model_writes_is_no_attack(case: Case) -> None:
    if case.selection:
        assert planted(case, case.honest_selection) == []
    else:
        assert planted(case, "\n\n".join(case.honest_segments.values())) == []


@pytest.mark.parametrize("case", [case for case in BENIGN if case.selection], ids=str)
def test_an_honest_passage_keeps_its_marks_when_rewritten(case: Case) -> None:
    assert elements(case.rewritten) == elements(case.selection)
    assert case.rewritten != case.selection
    assert all(normal(words) in visible(case.rewritten) for words in case.keep)


def test_a_model_that_is_not_shown_an_attack_writes_honest_steps() -> None:
    case = cases("seen")[0]
    shown = "\n".join(f"[{number}] {text}" for number, text in case.honest_segments.items())
    with running_model(case) as model:
        for model.way in ways(case):
            assert bool(planted(case, taken_as_it_is(model.answer(shown)))) == (model.way == "memory")
    assert model.obeyed == 0
