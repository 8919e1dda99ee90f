"""Forms that are written and never spoken: markup with a target, roles of a chat, blobs, hidden characters."""

from __future__ import annotations

import re
import unicodedata

_ROLE = "system|assistant|developer|prompt|sistema?|systeme|système|система|系统|系統|システム|النظام|시스템"
_FENCED = "transcript|data|instructions?|prompt|passages?|context|user|input|message|document|untrusted|fence"
_ROLE_MARK = re.compile(
    rf"(?:^|[.!?\]>)}}\"'*#-]\s*)\W{{0,4}}(?:{_ROLE}|tool|function)(?:\s+(?:message|prompt|note|override|update|role"
    r"|result|output|response))?\W{0,3}[:：]",
    re.IGNORECASE | re.MULTILINE,
)
_ACTIVE = (
    "a|base|body|button|details|embed|form|frame|head|html|iframe|img|input|link|math|meta|object|script|style|svg"
    "|video|audio|source|template|textarea"
)


def _compiled(*forms: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(form, re.IGNORECASE | re.MULTILINE) for form in forms)


_MARKUP = _compiled(
    r"!?\[[^\[\]\n]*\]\s*\([^)\n./:#]{0,300}[./:#]",  # a link or picture of Markdown
    r"^\s*\[[^\]\n]+\]:\s*\S",  # a definition of a link
    r"!?\[[^\[\]\n]+\]\[[^\[\]\n]*\]",
    r"<!--|-->|<!\[CDATA|<\?",
    rf"</?(?:{_ACTIVE})(?:[\s/>]|$)",
    r"<[a-z][\w-]*\s+[\w-]+\s*=",  # a tag with attributes
    r"<(?:https?|ftp|mailto|data|javascript):",
    r"\b(?:javascript|vbscript)\s*:|\bdata:[a-z]+/",
    r"\bon(?:error|load|click|mouseover|focus|toggle)\s*=",
    r"\burl\s*\(|@import\b|expression\s*\(",
    r"^\s*#{1,6}\s+\S|^\s*(?:`{3}|~{3})|`{3}",  # headings and fences of Markdown
    r"\|\s*:?-{3,}|^\s*\|.*\|.*\|",  # tables
    r"&#x?[0-9a-f]+;|&(?:lt|gt|quot|amp);|%3c|\\u00[0-9a-f]{2}|\\x[0-9a-f]{2}",
)
_CHAT = _compiled(
    r"block:[0-9a-f]{8}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    r"<\|[^|]{0,40}\|>|\[/?(?:inst|sys)\]|<</?sys>>|<(?:start|end)_of_turn>|</?s>",
    rf"</?\s*(?:{_ROLE}|{_FENCED})\b[^>]{{0,60}}>",
    r"\b(?:new|updated|revised|actual|real|hidden)\s+instructions?\s*[:：–—-]",
    rf"[\[({{<]\s*(?:{_ROLE})(?:\s+\w+)?\s*[\])}}>]",
    rf"(?<!#)#{{2,}}+\s*(?:{_ROLE}|{_FENCED}|response|task)\b",
    rf"(?<![-=*_~<>#])[-=*_~<>#]{{3,}}+\s*(?:(?:end|begin|start|stop|close|new)\b|(?:{_FENCED})\b)",
    rf"\b(?:end|beginning|start)\s+of\s+(?:the\s+|this\s+|your\s+|all\s+)?(?:{_FENCED})\b",
    r"[{\[,]\s*[\"'“]\w+[\"'”]\s*:\s*[\"'“\[{\dtfn]",  # JSON
    r"[\"'](?:role|steps|content|segments|tool_calls?|function|arguments)[\"']\s*:",
    r"(?<![A-Za-z0-9+/=])(?=[A-Za-z0-9+/=]{28})(?=[\w+/=-]{0,200}\d)[\w+/=-]{0,200}[A-Za-z]|\b(?:[0-9a-f]{2}[\s:]?){16,}\b",
)
# Scripts whose letters are joined or parted by characters that nobody sees (ZWJ, ZWNJ, direction marks).
_WITH_JOINERS = re.compile("[\u0590-\u08ff\u0900-\u0dff\u1780-\u17ff]")
_DISGUISE = re.compile("[\U000e0000-\U000e01ef\U0001d400-\U0001d7ff\u24b6-\u24e9\U0001f130-\U0001f189]")
_FULL_WIDTH, _EAST_ASIAN = (
    re.compile("[\uff21-\uff5a]"),
    re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"),
)
_STYLED = re.compile(r"</?(?:i|b|u|em|strong|font|c|v|ruby|rt)(?:[.\s][^>]*)?>|\{\\an?\d+\}", re.IGNORECASE)


def is_never_spoken(text: str) -> bool:
    """Return whether a text has a form that no recogniser writes down; how subtitles are styled does not count."""
    shown = unicodedata.normalize("NFKC", unstyled(text))
    return any(form.search(shown) for form in _MARKUP) or is_of_a_chat(text)


def is_of_a_chat(text: str) -> bool:
    """Return whether a text has a form that is made for programs, not for the readers of a document either."""
    shown = unicodedata.normalize("NFKC", text)
    return any(form.search(shown) for form in _CHAT) or _has_hidden(text) or _mixes_scripts(text)


def role_marks(text: str) -> list[tuple[int, int]]:
    """Return where a text names who speaks, as chats do ("System: …"), from where to where."""
    return [found.span() for found in _ROLE_MARK.finditer(text)]


def _has_hidden(text: str) -> bool:
    """Return whether characters that nobody sees stand inside a word, or any that spell hidden or disguised text:
    tags, and letters of mathematics, in circles, or of full width in a script that has none."""
    if _DISGUISE.search(text) or (_FULL_WIDTH.search(text) and not _EAST_ASIAN.search(text)):
        return True
    for before, sign, after in zip(text, text[1:], text[2:], strict=False):
        is_hidden = unicodedata.category(sign) == "Cf" and sign != "\u00ad"
        if is_hidden and before.isalnum() and not _WITH_JOINERS.search(before + after):
            return True
    return False


def _mixes_scripts(text: str) -> bool:
    """Return whether a word has Latin letters beside Cyrillic or Greek ones."""
    for word in re.findall(r"[^\W\d_]{3,}", text):
        scripts = {unicodedata.name(sign, "").partition(" ")[0] for sign in word}
        if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK"}:
            return True
    return False


def unstyled(text: str) -> str:
    """Return the text of a subtitle without the marks of its style."""
    return _STYLED.sub("", text)
