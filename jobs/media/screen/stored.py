"""A screen as the JSON in which it is stored."""

from __future__ import annotations

import json

from jobs.media.screen.events import Screen, ScreenInvalid


def screen_to_json(screen: Screen) -> bytes:
    return json.dumps(screen.as_plain(), ensure_ascii=False, sort_keys=True).encode()


def screen_from_json(content: bytes) -> Screen:
    """Return the screen in JSON that `screen_to_json` wrote. Raise ScreenInvalid."""
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ScreenInvalid("", "this is not JSON") from error
    return Screen.from_plain(parsed)
