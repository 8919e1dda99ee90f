"""The English verbs of instructions, and the forms in which they are spoken."""

from __future__ import annotations

import re


def words(text: str) -> frozenset[str]:
    """Return the words of a list that is written as running text."""
    return frozenset(text.split())


# Acts with the mouse or the keys.
HANDS_ON = words(
    """
    check choose click close drag enter expand go hit hover navigate open pick press scroll select tap tick
    toggle turn type uncheck untick
    """
)
VERBS = HANDS_ON | words(
    """
    access activate add adjust agree align allow answer apply approve archive arrange assign attach begin
    book bring browse build calculate cancel capture change clear collapse complete compose configure
    confirm connect continue convert copy create crop customize cut deactivate define delete deny describe
    deselect disable disconnect dismiss download drop duplicate edit enable exit export extract fill filter
    find finish flip follow format generate give group head hide highlight hold import include increase
    indicate insert install invite join jump keep label launch leave lock log login logout look make mark
    maximize merge minimize mirror modify move mute name note paste pause pin place play plug point post
    preview print proceed provide publish pull push put quit read rearrange reboot record redo reduce
    refresh register reload remove rename reopen reorder repeat replace reply request reset resize restart
    restore resume return reverse review rotate run save scan schedule search send set setup share show
    shrink sign skip sort specify split start stop store submit subscribe swap swipe switch sync take test
    track transfer trim try undo unlock unmute unpin unselect unzip update upgrade upload use validate
    verify view visit wait watch write zip zoom
    """
)
NO_NOUNS = words("choose click drag go navigate")
# Tasks that take several acts, and so are announced rather than done.
TASKS = words(
    """
    add assign begin build change complete compose configure connect create customize define edit export fill
    format import install invite make publish review schedule set setup share start test update write
    """
)
# No instruction when speakers say it about themselves: "we use this page for reports".
HABITS = words(
    "allow find follow hold include keep look make name note provide show start take test use view watch"
)
# Verbs that only a statement contains.
FINITE = words(
    """
    is are was were will would can could has have had does did do should may might must isn't aren't wasn't
    won't can't doesn't it's that's appears appear means happens becomes gets goes comes contains works lets
    let seems
    """
)
_DOUBLING = words("submit begin")
_ONE_WORD = {"login": "log in", "logout": "log out", "setup": "set up"}
_MISHEARD = {"quick": "click", "clique": "click", "cleek": "click", "klick": "click"}


def _stem(verb: str) -> str:
    """Return the stem to which `-ing` is added: sett-ing, sav-ing, open-ing."""
    if verb in _DOUBLING or re.fullmatch(r"[^aeiou]*(?:[aeiou]|qui)[^aeiouwxy]", verb):
        return verb + verb[-1]
    return verb[:-1] if verb.endswith("e") and not verb.endswith("ee") else verb


def _third_person(verb: str) -> str:
    if verb.endswith(("s", "x", "ch", "sh", "o")):
        return verb + "es"
    return verb[:-1] + "ies" if re.search(r"[^aeiou]y$", verb) else verb + "s"


GERUNDS = {_stem(verb) + "ing": verb for verb in VERBS}
# "I clicked on it" describes what is on the screen. The past of other verbs is rather a report.
PAST_FORMS = {re.sub(r"ing$", "ed", gerund): verb for gerund, verb in GERUNDS.items() if verb in HANDS_ON} | {
    "chose": "choose",
    "went": "go",
}
THIRD_PERSONS = frozenset(map(_third_person, VERBS))
# Recognised for the bare verb at the beginning of a sentence, or spoken without the "I" before it.
SPOKEN_FORMS = {
    **{_third_person(verb): verb for verb in ("click", "press", "select", "choose", "tap", "hit", "open")},
    **{"clicked": "click", "pressed": "press", "tapped": "tap", "selected": "select"},
    **_MISHEARD,
}


def written(verb: str) -> str:
    """Return the verb as it is written: "log in" for "login"."""
    return _ONE_WORD.get(verb, verb)
