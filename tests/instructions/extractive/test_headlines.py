"""Headings say what to do and no more; titles say what a guide is about."""

from __future__ import annotations

import pytest

from instructions.language_models.extractive.headlines import guide_title, step_heading, without_greeting


@pytest.mark.parametrize(
    ("clause", "heading"),
    [
        ("click New invoice in the top right corner", "Click New invoice"),
        ("check the total at the bottom of the page", "Check the total"),
        ("select the sales table from the drop-down list", "Select the sales table"),
        ("log in on the login page", "Log in on the login page"),
        ("click it in the list", "Click it in the list"),
        ("click the button in the corner", "Click the button in the corner"),
        ("go to the members page", "Go to the members page"),
        ("enter the hours, then enter the price", "Enter the hours, then enter the price"),
        ("give it a name, I'll call mine sales", "Give it a name"),
        ("click the plus, it's in the upper right", "Click the plus"),
        ("download the codes because you need them", "Download the codes"),
        ("test it", "Test it"),
    ],
)
def test_headings_of_steps(clause: str, heading: str) -> None:
    assert step_heading(clause) == heading


@pytest.mark.parametrize(
    ("sentence", "title"),
    [
        ("I'm going to show you how to set up a printer.", "Set up a printer"),
        ("Welcome to this tutorial on creating and sending reports.", "Create and send reports"),
        ("Today we will take a look at the new dashboard.", "New dashboard"),
        ("Hello everybody!", ""),
        ("The sun is shining.", ""),
    ],
)
def test_titles_of_guides(sentence: str, title: str) -> None:
    assert guide_title(sentence) == title


@pytest.mark.parametrize(
    ("sentence", "rest"),
    [
        ("Hi everyone, welcome back to my channel, this is about maps.", "This is about maps."),
        ("Okay, hello there!", ""),
        ("Good morning. My name is Pat and today we begin.", "Today we begin."),
        ("High values are bad.", "High values are bad."),
    ],
)
def test_greetings_are_left_out(sentence: str, rest: str) -> None:
    assert without_greeting(sentence) == rest
