"""Commands of a terminal in what is said.

"Type git add dot" is "Run git add .", with the command as code. Spoken signs ("dash dash", "dot", "slash") are written
as signs, and a command ends where its sentence goes on in words ("in the project folder").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from instructions.drafting import Guide, Step
from instructions.language_models.extractive.verbs import words

_PROGRAMS = words(
    """
    git npm npx yarn pnpm pip pip3 pipx python python3 docker docker-compose podman kubectl helm terraform cmake rustc
    mvn gradle apt apt-get brew dnf yum sudo ssh scp rsync curl wget cd ls mkdir rmdir rm cp mv grep chmod chown tar
    unzip systemctl journalctl psql mysql sqlite3 redis-cli aws az gcloud heroku ansible ansible-playbook vagrant conda
    uv poetry pytest dotnet flutter php composer ipconfig ifconfig netstat javac
    """
)
_WORDS_TOO = words("make go node cat cargo bundle gem rails ping top touch find echo java ruby")
"""Programs whose names are words of English as well: only what is said to be run is one of them."""

_SAID = re.compile(
    r"\b(?P<verb>rerun|run|execute|type|enter|issue)"
    r"(?: (?:in|out|just|now|again|the command|this command|a quick))*[:,]? "
    r"[\"“`']?(?P<program>[a-z][\w.-]*)\b(?P<rest>[^\n]*)",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"(?:^|(?<=[.,;!?] )|(?<=\band )|(?<=\bthen ))"
    r"(?P<verb>)(?P<program>git|npm|npx|yarn|pnpm|pip3?|docker|docker-compose|kubectl|sudo|curl|wget|ssh|systemctl|brew|apt)\b"
    r"(?P<rest> [^\n]*)",
    re.IGNORECASE,
)
"""A sentence or clause that is a command."""

_TELLS = words(
    """
    is are was were will has have does can tells shows says gives prints lists works runs means looks stops starts takes
    me us
    """
)
_PROSE = _TELLS | words(
    """
    and or then to in into so which that this these those again from for because with on at if when while as we you i
    it it's here there the a an your my our by until where now first once please command commands sure
    through over after before
    """
)
_ARGUMENT = re.compile(r" +(\S+)")
_ENDS_SENTENCE = re.compile(r"[.!?]\s")
_ENDS = re.compile(r"[.,;:!?\"”`']+$")
_FIELD = re.compile(r"\b(?:box|field|bar|search|form|cell|column)\b", re.IGNORECASE)
_SIGNS = {"dot": ".", "slash": "/", "underscore": "_", "colon": ":", "equals": "=", "tilde": "~"}
_QUOTE = "quote"
_DASHES = ("dash", "hyphen", "minus")
_OPTION = re.compile(r" --\w\S*$")


def with_commands(guide: Guide) -> Guide:
    """Return a guide in English whose commands are written as they are typed, and known as code."""
    sections = tuple(
        replace(section, steps=tuple(_with_commands(step) for step in section.steps))
        for section in guide.sections
    )
    return replace(guide, sections=sections)


def _with_commands(step: Step) -> Step:
    title, code = _written(step.title)
    told = []
    for text in step.paragraphs:
        new, found = _written(text)
        told.append(new)
        code += found
    return replace(step, title=title, paragraphs=tuple(told), code=tuple(dict.fromkeys((*step.code, *code))))


def _written(text: str) -> tuple[str, list[str]]:
    """Return a text with its commands as they are typed, and the commands."""
    made, commands, at = "", [], 0
    while said := _next_said(text, at):
        command, length = _command(said)
        until = said.start("program") + length
        if command:
            begins = not text[: said.start()].strip() or text[: said.start()].rstrip()[-1] in ".!?"
            made += text[at : said.start()] + ("Run " if begins else "run ") + command
            commands.append(command)
        else:
            until = said.end("program")
            made += text[at:until]
        at = until
    return made + text[at:], commands


def _next_said(text: str, at: int) -> re.Match[str] | None:
    found = filter(None, (_SAID.search(text, at), _BARE.search(text, at)))
    return min(found, key=lambda said: said.start("program"), default=None)


def _command(said: re.Match[str]) -> tuple[str, int]:
    """Return the command that is said and how many characters of the text it takes; an empty one if it is none."""
    program, rest = said["program"].rstrip("."), said["rest"]
    spoken, length, stop = [program.lower()], 0, ""
    arguments = list(_ARGUMENT.finditer(rest if program == said["program"] else ""))
    for word, following in zip_longest(arguments, arguments[1:]):
        plain = word[1].lower().strip(".,;:!?")
        if plain in _PROSE and spoken[-1].lower() not in _DASHES:
            stop = plain
            break
        bare = _ENDS.sub("", word[1]) or word[1]
        spoken.append(bare)
        length = word.start(1) + len(bare)
        if bare != word[1] and not (following and following[1].lower() in (*_DASHES, _QUOTE)):
            break
    is_known = _is_known(spoken, said["verb"].lower(), stop, _ENDS_SENTENCE.split(rest[length:])[0])
    return (_signs(spoken), len(program) + length) if is_known else ("", 0)


def _is_known(spoken: Sequence[str], verb: str, stop: str, following: str) -> bool:
    """Return whether words are a command, by the verb before them and what of the sentence follows."""
    if verb in ("run", "rerun", "execute"):
        return spoken[0] in _PROGRAMS or (spoken[0] in _WORDS_TOO and len(spoken) > 1)
    if spoken[0] not in _PROGRAMS or len(spoken) == 1:
        return False
    return not _FIELD.search(following) if verb else stop not in _TELLS


def _signs(spoken: Sequence[str]) -> str:
    """Return the words of a command with the signs that are said as signs: dash dash save dev, requirements dot txt."""
    made, dashes, glues, is_quoted = "", 0, True, False
    for at, word in enumerate(spoken):
        sign = _SIGNS.get(word.lower())
        if word.lower() in _DASHES:
            dashes += 1
        elif word.lower() == _QUOTE:
            made += '"' if is_quoted else ' "'
            is_quoted, glues = not is_quoted, not is_quoted
        elif dashes:
            goes_on = dashes == 1 and _OPTION.search(made)
            made += ("-" if goes_on else " " + "-" * dashes) + word
            dashes, glues = 0, False
        elif sign:
            is_folder = sign in ".~" and (at == 1 or (at == len(spoken) - 1 and not glues))
            made += (" " if is_folder else "") + sign
            glues = True
        else:
            made += ("" if glues else " ") + word
            glues = False
    return made.removesuffix(' "')
