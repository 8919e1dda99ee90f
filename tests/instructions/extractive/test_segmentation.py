"""Segmentation: which sentences begin a step, and which belong to the step before or after them."""

from __future__ import annotations

import pytest

from jobs.media.transcripts import Segment
from tests.instructions.steps import step_blocks
from tests.instructions.transcripts import draft, drafted, segments, titles


def test_optional_acts_warnings_questions_and_goodbyes_are_no_steps() -> None:
    markdown = draft(
        segments(
            """
0 2000 Open the console.
2600 3000 Where is it?
3600 5000 It's in the sidebar.
5600 7000 You can also press F1.
7600 9000 Don't tick Administrators.
9600 11000 If it fails, click Retry.
11600 13000 Press Save.
13600 15000 That's all.
15600 17000 Your user is in the list now.
17600 19000 Please like and subscribe.
"""
        )
    )
    assert titles(markdown) == ["Open the console", "Press Save"]
    assert "Open the console. It's in the sidebar. You can also press F1. Don't tick" in markdown
    assert markdown.endswith("## Result\n\nYour user is in the list now.\n")


def test_the_announcement_of_a_task_names_its_section() -> None:
    markdown = draft(
        segments(
            """
0 1500 Open the app.
2000 3500 Choose Profile.
5500 7000 Next, let's set the working hours.
7500 9000 Scroll down to Hours.
9500 11000 Untick Sunday.
"""
        )
    )
    assert "\n## Set the working hours\n\n### Step 3: Scroll down to Hours\n" in markdown


def test_an_act_in_the_same_breath_stays_in_its_step() -> None:
    markdown = draft(
        segments(
            """
0 1500 Open the app.
2300 3500 Enter the hours.
3500 5000 Then enter the price.
6000 7000 Click Save.
"""
        )
    )
    assert titles(markdown) == ["Open the app", "Enter the hours", "Click Save"]
    assert "Enter the hours. Enter the price." in markdown


def test_what_leads_in_to_an_act_in_the_same_breath_is_not_lost() -> None:
    markdown = draft(
        segments(
            """
0 1000 Open the app.
1800 2500 Choose File.
5000 6000 The form is here.
6000 7000 Then enter the price.
7800 8500 Click Save.
9300 9900 Click Close.
"""
        )
    )
    assert "Choose File. The form is here. Enter the price." in markdown


@pytest.mark.parametrize("opening", ["Set the date to today.", "Click on Learn more."])
def test_an_act_that_only_sounds_like_an_introduction_is_a_step(opening: str) -> None:
    assert len(step_blocks(draft([Segment(0, 1000, opening), Segment(2000, 3000, "Click Save.")]))) == 2


def test_a_talk_that_tells_nothing_to_do_is_cut_at_its_pauses() -> None:
    made = drafted(
        segments(
            """
0 3000 Our architecture has three layers.
3200 6000 The first is the gateway, which takes requests.
8000 9000 Then there is the queue.
9100 11000 Messages stay in it.
"""
        )
    )
    assert titles(made.markdown) == ["Our architecture has three layers", "There is the queue"]
    assert [step.start_ms for step in made.steps] == [0, 8000]
