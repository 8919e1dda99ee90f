"""Forms that are written and never spoken: markup with a target, roles of a chat, blobs, hidden characters."""

from __future__ import annotations

import re
import unicodedata

_ROLE = "system|assistant|developer|prompt|sistema?|systeme|système|система|系统|系統|システム|النظام|시스템"
_FENCED = "transcript|data|instructions?|prompt|passages?|context|user|input|message|document|untrusted|fence"
_ACTIVE = (
    "a|base|body|button|details|embed|form|frame|head|html|iframe|img|input|link|math|meta|object|script|style|svg"
    "|video|audio|source|template|textarea"
)
_FORMS = tuple(
    re.compile(form, re.IGNORECASE | re.MULTILINE)
    for form in (
        r"!?\[[^\]\n]*\]\s*\([^)\n]*[./:#][^)\n]*\)",  # a link or picture of Markdown
        r"^\s*\[[^\]\n]+\]:\s*\S",  # a definition of a link
        r"!?\[[^\]\n]+\]\[[^\]\n]*\]",
        r"<!--|-->|<!\[CDATA|<\?",
        rf"</?(?:{_ACTIVE})(?:[\s/>]|$)",
        r"<[a-z][\w-]*\s+[\w-]+\s*=",  # a tag with attributes
        r"<(?:https?|ftp|mailto|data|javascript):",
        r"\b(?:javascript|vbscript)\s*:|\bdata:[a-z]+/",
        r"\bon(?:error|load|click|mouseover|focus|toggle)\s*=",
        r"\burl\s*\(|@import\b|expression\s*\(",
        r"^\s*#{1,6}\s+\S|^\s*(?:`{3}|~{3})|`{3}",  # headings and fences of Markdown
        r"\|\s*:?-{3,}|^\s*\|.*\|.*\|",  # tables
        r"block:[0-9a-f]{8}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        r"<\|[^|]{0,40}\|>|\[/?(?:inst|sys)\]|<</?sys>>|<(?:start|end)_of_turn>|</?s>",
        rf"</?\s*(?:{_ROLE}|{_FENCED})\b[^>]{{0,60}}>",
        rf"(?:^|[.!?\]>)}}\"'*#-]\s*)\W{{0,4}}(?:{_ROLE})(?:\s+(?:message|prompt|note|override|update|role))?\W{{0,3}}[:：]",
        r"\b(?:new|updated|revised|actual|real|hidden)\s+instructions?\s*[:：–—-]",
        rf"[\[({{<]\s*(?:{_ROLE})(?:\s+\w+)?\s*[\])}}>]",
        rf"#{{2,}}\s*(?:{_ROLE}|{_FENCED}|response|task)\b",
        rf"[-=*_~<>#]{{3,}}\s*(?:(?:end|begin|start|stop|close|new)\b|(?:{_FENCED})\b)",
        rf"\b(?:end|beginning|start)\s+of\s+(?:the\s+|this\s+|your\s+|all\s+)?(?:{_FENCED})\b",
        r"[{\[,]\s*[\"'“]\w+[\"'”]\s*:\s*[\"'“\[{\dtfn]",  # JSON
        r"[\"'](?:role|steps|content|segments|tool_calls?|function|arguments)[\"']\s*:",
        r"(?=[\w+/=-]*\d)(?=[\w+/=-]*[A-Za-z])[A-Za-z0-9+/=]{28,}|\b(?:[0-9a-f]{2}[\s:]?){16,}\b",
        r"&#x?[0-9a-f]+;|&(?:lt|gt|quot|amp);|%3c|\\u00[0-9a-f]{2}|\\x[0-9a-f]{2}",
    )
)
# Scripts whose letters are joined or parted by characters that nobody sees (ZWJ, ZWNJ, direction marks).
_WITH_JOINERS = re.compile("[\u0590-\u08ff\u0900-\u0dff\u1780-\u17ff]")
_STYLED = re.compile(r"</?(?:i|b|u|em|strong|font|c|v|ruby|rt)(?:[.\s][^>]*)?>|\{\\an?\d+\}", re.IGNORECASE)


def is_never_spoken(text: str) -> bool:
    """Return whether a text has a form that no recogniser writes down; how subtitles are styled does not count."""
    shown = unicodedata.normalize("NFKC", unstyled(text))
    return any(form.search(shown) for form in _FORMS) or _has_hidden(text) or _mixes_scripts(text)


def _has_hidden(text: str) -> bool:
    """Return whether characters that nobody sees stand inside a word, or any of those that spell hidden text."""
    if any("\U000e0000" <= sign <= "\U000e01ef" for sign in text):
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
