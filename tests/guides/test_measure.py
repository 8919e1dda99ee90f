"""The measure with a model: a service that runs is asked, and what it finds is compared."""

from __future__ import annotations

from instructions.language_models import Segment
from tests.chat_server import Asked, Reply, completion, running_chat_server
from tests.guides.matching import matches
from tests.guides.measure import Talk, measure
from tests.guides.served import PROFILE, served_model

SAID = ("Open the settings.", "Over here there is Export.", "It takes a while.")
TALK = Talk(
    "a talk",
    "tuned",
    "en",
    tuple(Segment(at * 10_000, at * 10_000 + 2_000, text) for at, text in enumerate(SAID)),
    ((0, 10_000), (0, 10_000)),
    (),
)


def test_a_service_that_runs_is_asked_and_its_steps_are_compared() -> None:
    def answer(asked: Asked) -> Reply:
        told = {"Open the settings.": "Open the settings", "Over here there is Export.": "Click Export"}
        return completion(told.get(asked.turn["passage"], "-"))

    with running_chat_server() as server, served_model(server.url, "", PROFILE) as (model, cpu_seconds):
        server.otherwise = answer
        result = measure(TALK, model, cpu_seconds)
    assert (result.found, result.f1, result.invented) == (2, 1.0, 0)
    assert server.asked and cpu_seconds() == 0


def test_of_several_ways_to_match_steps_the_nearest_is_taken() -> None:
    assert matches([1_000, 3_000, 5_000], [3_100, 5_200]) == [(1, 0), (2, 1)]
    assert matches([1_000, 3_000], [3_100, 5_200]) == [(0, 0), (1, 1)]  # as many as can be had come first
    assert matches([9_000, 1_000], [1_500, 20_000, 8_000]) == [(1, 0), (0, 2)]
    assert matches([], [1_000]) == matches([1_000], []) == []
