"""Instructions are found in spoken sentences of every style, and statements are left alone."""

from __future__ import annotations

import pytest

from instructions.language_models.extractive.imperatives import find_instruction


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("Click New invoice in the top right corner.", "Click New invoice in the top right corner."),
        ("So first I'm going to open the settings menu.", "Open the settings menu."),
        ("Then I click on security, and I scroll down.", "Click on security, and scroll down."),
        ("Man, I click on it and then we're gonna pick the first.", "Click on it and pick the first."),
        ("I typed it in and press continue.", "Type it in and press continue."),
        ("So we're clicking on save and entering the name.", "Click on save and enter the name."),
        ("You want to enter that code right here.", "Enter that code right here."),
        ("And then just hit verify.", "Hit verify."),
        ("Finally, make sure to download the codes.", "Download the codes."),
        ("Let's go ahead and login with your email.", "Log in with your email."),
        ("Once you're in, go to the reports tab.", "Once you're in, go to the reports tab."),
        ("in the top right corner click new invoice", "In the top right corner, click new invoice."),
        ("In my settings I turn on dark mode.", "In your settings, turn on dark mode."),
        ("What you need to do is click save.", "Click save."),
        ("So what we're gonna do is we're gonna click on new.", "Click on new."),
        ("The next step is to add the customer.", "Add the customer."),
        ("Start by opening the app.", "Open the app."),
        ("Right click the folder.", "Right-click the folder."),
        ("Quick on the save button.", "Click on the save button."),
        ("Now go into the next tab, okay?", "Go into the next tab."),
        ("Step 3, enter the amount.", "Enter the amount."),
        ("To share it, press the share icon.", "To share it, press the share icon."),
        ("Open orders.", "Open orders."),
        ("Save your work.", "Save your work."),
    ],
)
def test_an_instruction_is_told_straight(sentence: str, told: str) -> None:
    found = find_instruction(sentence)
    assert found is not None
    assert found.sentence() == told


@pytest.mark.parametrize(
    "sentence",
    [
        "Open orders are listed here.",
        "Search results appear below.",
        "Type of invoice is set.",
        "First name is required.",
        "Save is greyed out.",
        "Setup guide",
        "Clicking save closes the window.",
        "Selected items are deleted.",
        "Here you can see the two factor section.",
        "After that, you'll get a message with a code.",
        "When you click save the form closes.",
        "I use this page for reports.",
        "I've already opened the app.",
        "We have a button here.",
        "The first thing you'll notice is the menu.",
        "The next step is the payment.",
        "Do you want to save?",
        "What do we see?",
        "Click here?",
        "Don't click delete.",
        "Let's take a look at the report.",
        "Make sure the total is right.",
        "And that's it.",
        "Thanks for watching.",
        "Quick tip, use the shortcut.",
        "The customer clicks on save.",
        "",
        "...",
    ],
)
def test_a_statement_is_no_instruction(sentence: str) -> None:
    assert find_instruction(sentence) is None


@pytest.mark.parametrize(
    ("sentence", "is_optional"),
    [
        ("You can also press control s.", True),
        ("You can change the colors if you like.", True),
        ("If something goes wrong, click Undo.", True),
        ("Alternatively, press Enter.", True),
        ("You can press Enter.", False),
    ],
)
def test_what_one_may_leave_out_is_optional(sentence: str, is_optional: bool) -> None:
    found = find_instruction(sentence)
    assert found is not None and found.is_optional is is_optional


def test_the_announcement_of_a_task_is_told_from_an_act() -> None:
    task, act = find_instruction("Next up, let's set the hours."), find_instruction("Now click Save.")
    assert task and task.is_task and task.cue == "let's" or task and task.cue == "next up"
    assert act and not act.is_task and act.is_hands_on
