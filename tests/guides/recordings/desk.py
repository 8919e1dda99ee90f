"""Desktop programs in Tk, on a desktop of their own, and asked where their controls are.

The program runs in the main thread. The scene plays in another, and what it wants to know is looked up between two
events of the program, since Tk is no friend of threads.
"""

from __future__ import annotations

import queue
import threading
import time
import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from types import TracebackType
from typing import Any

from tests.guides.recordings.stage import Box, Control

LOOK_EVERY_MS = 100
Find = Callable[[], Control | None]


class Desk:
    """A program on a desktop. Its builder puts controls and secrets into it by `name`, `hide` and so on."""

    def __init__(self, build: Callable[[Desk], None], size: tuple[int, int], ground: tuple[str, str]) -> None:
        self.root = tk.Tk()
        self._size = size
        self._asked: queue.Queue[tuple[Callable[[], Any], queue.Queue[Any]]] = queue.Queue()
        self._named: dict[str, Find] = {}
        self._secrets: list[tuple[str, Callable[[], tuple[str, Box] | None]]] = []
        self._seen: list[tuple[float, list[dict[str, Any]]]] = []
        self._lay_desktop(*ground)
        build(self)

    def __enter__(self) -> Desk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.root.destroy()

    def perform(self, play: Callable[[], None]) -> None:
        """Run the program until `play`, in a thread of its own, is over. Raise what it raised."""
        failed: list[BaseException] = []

        def perform() -> None:
            try:
                play()
            except BaseException as error:
                failed.append(error)
            self._ask(self.root.quit)

        thread = threading.Thread(target=perform)
        self.root.after(10, self._answer)
        self.root.after(LOOK_EVERY_MS, self._look)
        thread.start()
        self.root.mainloop()
        thread.join(5)
        if failed:
            raise failed[0]

    def find(self, name: str) -> Control | None:
        return self._ask(lambda: self._named[name]() if name in self._named else None)

    def seen(self) -> list[tuple[float, list[dict[str, Any]]]]:
        return self._seen

    def name(self, name: str, widget: tk.Misc, label: str | None = None) -> None:
        """Give a widget a name; its label is its own text when none is given."""
        self._named[name] = lambda: _control(widget, label)

    def name_entries(self, name: str, menu: tk.Menu) -> None:
        """Give a menu a name, and each of its entries `name`/its text; the menu's label is its first entry."""
        self._named[name] = lambda: _control(menu, menu.cget("title") or None)
        for index in range((menu.index("end") or 0) + 1):
            if menu.type(index) != "separator":
                text = menu.entrycget(index, "label")
                self._named[f"{name}/{text}"] = lambda index=index, text=text: _entry(menu, index, text)

    def name_choices(self, name: str, box: ttk.Combobox) -> None:
        """Give the list of a combobox a name, and each of its choices `name`/its text."""
        lines = f"{box.tk.call('ttk::combobox::PopdownWindow', box)}.f.l"
        self._named[name] = lambda: _popdown(box, lines, None)
        for index, text in enumerate(box.cget("values")):
            self._named[f"{name}/{text}"] = lambda index=index: _popdown(box, lines, index)

    def name_window(self, name: str, window: tk.Toplevel) -> None:
        """Give a window a name; its label is its title, its place the frame's."""
        self._named[name] = lambda: _window(window)

    def name_row(self, name: str, tree: ttk.Treeview, row: str) -> None:
        """Give a row of a tree or table a name; its label is the text of its first column."""
        self._named[name] = lambda: _row(tree, row)

    def name_heading(self, name: str, tree: ttk.Treeview, column: str) -> None:
        self._named[name] = lambda: _heading(tree, column)

    def name_tab(self, name: str, pages: ttk.Notebook, index: int) -> None:
        """Give the tab of a notebook a name."""
        self._named[name] = lambda: _tab(pages, index)

    def hide(self, kind: str, text: str, widget: tk.Widget) -> None:
        """Note a label or entry as something that should be hidden."""
        self._secrets.append((kind, lambda: (text, _box(widget)) if _is_shown(widget) else None))

    def hide_typed(self, kind: str, widget: ttk.Entry) -> None:
        """Note what is typed into a field as something that should be hidden."""
        self._secrets.append(
            (kind, lambda: (widget.get(), _box(widget)) if _is_shown(widget) and widget.get() else None)
        )

    def hide_cell(self, kind: str, tree: ttk.Treeview, row: str, column: str) -> None:
        self._secrets.append((kind, lambda: _cell(tree, row, column)))

    def _lay_desktop(self, ground: str, spot: str) -> None:
        """Lay a plain desktop below all windows. It is mapped first: later it would cover the program's."""
        width, height = self._size
        self.root.overrideredirect(True)
        self.root.geometry(f"{width}x{height}+0+0")
        canvas = tk.Canvas(self.root, width=width, height=height, background=ground, highlightthickness=0)
        canvas.pack()
        canvas.create_oval(width * 0.5, height * 0.35, width * 1.2, height * 1.6, fill=spot, width=0)
        self.root.update()
        self.root.lower()

    def _ask(self, question: Callable[[], Any]) -> Any:
        answer: queue.Queue[Any] = queue.Queue()
        self._asked.put((question, answer))
        value = answer.get(timeout=10)
        if isinstance(value, Exception):
            raise value
        return value

    def _answer(self) -> None:
        while not self._asked.empty():
            question, answer = self._asked.get()
            try:
                answer.put(question())
            except (tk.TclError, AttributeError) as error:
                answer.put(error)
        self.root.after(5, self._answer)

    def _look(self) -> None:
        found = [(kind, look()) for kind, look in self._secrets]
        shown = [{"kind": kind, "text": each[0], "box": each[1]} for kind, each in found if each]
        self._seen.append((time.time(), shown))
        self.root.after(LOOK_EVERY_MS, self._look)


def _box(widget: tk.Misc) -> Box:
    return widget.winfo_rootx(), widget.winfo_rooty(), widget.winfo_width(), widget.winfo_height()


def _is_shown(widget: tk.Misc) -> bool:
    """Return whether a widget is on the screen, and no other window over its middle."""
    if not (widget.winfo_exists() and widget.winfo_viewable()):
        return False
    x, y, width, height = _box(widget)
    return _window_at(widget, x + width // 2, y + height // 2) == str(widget.winfo_toplevel())


def _window_at(widget: tk.Misc, x: int, y: int) -> str:
    """Return the path of the window at a point: of Tk itself, for tkinter does not know the list of a combobox."""
    over = widget.tk.call("winfo", "containing", x, y)
    return str(widget.tk.call("winfo", "toplevel", over)) if str(over) else ""


def _control(widget: tk.Misc, label: str | None) -> Control | None:
    if not (widget.winfo_exists() and widget.winfo_viewable()):
        return None
    return Control(str(widget.cget("text")) if label is None else label, _box(widget))


def _window(window: tk.Toplevel) -> Control | None:
    if not (window.winfo_exists() and window.winfo_viewable()):
        return None
    x, y, width, height = _box(window)
    left, top = (int(part) for part in window.geometry().split("+")[1:])  # of the frame
    edge = x - left
    return Control(window.title(), (left, top, width + 2 * edge, height + y - top + edge))


def _entry(menu: tk.Menu, index: int, text: str) -> Control | None:
    if not menu.winfo_viewable():
        return None
    x, y, width, height = _box(menu)
    top = menu.yposition(index)
    last = menu.index("end") or 0
    below = menu.yposition(index + 1) if index < last else height - 3
    return Control(text, (x, y + top, width, below - top))


def _popdown(box: ttk.Combobox, lines: str, index: int | None) -> Control | None:
    call = box.tk.call
    if not int(call("winfo", "viewable", lines)):
        return None
    x, y, width, height = (int(call("winfo", what, lines)) for what in ("rootx", "rooty", "width", "height"))
    if index is None:
        return Control(None, (x, y, width, height))
    place = call(lines, "bbox", index)
    if not place:
        return None
    _, top, _, line = (int(value) for value in box.tk.splitlist(place))
    return Control(str(call(lines, "get", index)), (x, y + top, width, line))


def _tab(pages: ttk.Notebook, index: int) -> Control | None:
    """Return the tab's place, for which the notebook is asked point by point: Tk tells it in no other way."""
    columns = [x for x in range(pages.winfo_width()) if _tab_at(pages, x) == index]
    if not columns or not pages.winfo_viewable():
        return None
    left, top = pages.winfo_rootx() + columns[0], pages.winfo_rooty()
    height = pages.nametowidget(pages.tabs()[0]).winfo_y()
    return Control(pages.tab(index, "text"), (left, top, len(columns), height))


def _tab_at(pages: ttk.Notebook, x: int) -> int | None:
    found = pages.tk.call(pages, "identify", "tab", x, 12)
    return int(found) if str(found) else None


def _row(tree: ttk.Treeview, row: str) -> Control | None:
    place = tree.bbox(row) if tree.winfo_viewable() and tree.exists(row) else ""
    if not place:
        return None
    left, top, width, height = place
    values = tree.item(row, "values")
    label = tree.item(row, "text") or (values[0] if values else None)
    return Control(label, (tree.winfo_rootx() + left, tree.winfo_rooty() + top, width, height))


def _heading(tree: ttk.Treeview, column: str) -> Control | None:
    rows = [row for row in tree.get_children() if tree.bbox(row, column)]
    if not rows or not tree.winfo_viewable():
        return None
    left, top, width, _ = tree.bbox(rows[0], column)
    return Control(tree.heading(column, "text"), (tree.winfo_rootx() + left, tree.winfo_rooty(), width, top))


def _cell(tree: ttk.Treeview, row: str, column: str) -> tuple[str, Box] | None:
    place = tree.bbox(row, column) if tree.winfo_viewable() and tree.exists(row) else ""
    if not place:
        return None
    left, top, width, height = place
    box = (tree.winfo_rootx() + left, tree.winfo_rooty() + top, width, height)
    over = _window_at(tree, box[0] + width // 2, box[1] + height // 2)
    return (tree.set(row, column), box) if over == str(tree.winfo_toplevel()) else None
