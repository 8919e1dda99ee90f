"""What the desktop programs have in common: colours and letters of ttk, windows, menus."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import ttk

from tests.guides.recordings.desk import Desk


def dress(desk: Desk, family: str, size: int, ground: str, accent: str, hover: str) -> None:
    """Give all widgets a family of letters, its size in points, a ground, and colours for what is chosen."""
    style = ttk.Style(desk.root)
    style.theme_use("clam")
    style.configure(".", font=(family, size), background=ground, bordercolor="#b9bec6")
    style.configure("Treeview", rowheight=round(size * 2.5), fieldbackground="white", background="white")
    style.configure("Treeview.Heading", font=(family, size - 1, "bold"), padding=5)
    style.map("Treeview", background=[("selected", accent)], foreground=[("selected", "white")])
    style.configure("TButton", padding=(12, 5), background="#fbfbfc")
    style.map("TButton", background=[("pressed", "#cfd6df"), ("active", "#e3e9f1")])
    style.configure("Main.TButton", background=accent, foreground="white")
    style.map("Main.TButton", background=[("pressed", "#1d2732"), ("active", hover)])
    style.configure("Menu.TMenubutton", background=ground, padding=(12, 4), relief="flat", width=0)
    style.map("Menu.TMenubutton", background=[("active", "#d6dde7")])
    style.layout(
        "Menu.TMenubutton", [("Menubutton.padding", {"children": [("Menubutton.label", {"sticky": "w"})]})]
    )
    style.configure("TCheckbutton", indicatorsize=15, indicatormargin=6)
    style.map("TCheckbutton", background=[("active", ground)])
    style.map("TCombobox", fieldbackground=[("readonly", "white")], selectbackground=[("readonly", "white")])
    style.map("TCombobox", selectforeground=[("readonly", "black")])
    style.configure("TNotebook.Tab", padding=(16, 6), background="#d9d5cd")
    style.map("TNotebook.Tab", background=[("selected", ground), ("active", "#e7e3db")])
    style.configure("TEntry", padding=4)
    style.configure("TCombobox", padding=4)
    style.configure("TProgressbar", background=accent, troughcolor="#dfe3e8")
    style.configure("Dim.TLabel", foreground="#69727d")
    style.configure("Title.TLabel", font=(family, size + 5, "bold"))
    desk.root.option_add("*TCombobox*Listbox.font", (family, size))
    desk.root.option_add("*Menu.font", (family, size))
    desk.root.option_add("*Menu.activeBackground", accent)
    desk.root.option_add("*Menu.activeForeground", "white")
    desk.root.option_add("*Menu.background", "#fbfbfc")


def window(desk: Desk, name: str, title: str, place: str, ground: str, over: tk.Toplevel | None) -> ttk.Frame:
    """Open a window at a place (WIDTHxHEIGHT+X+Y), above another one, and return the frame to fill."""
    opened = tk.Toplevel(desk.root, background=ground)
    opened.title(title)
    opened.geometry(place)
    if over:
        opened.transient(over)
    desk.name_window(name, opened)
    frame = ttk.Frame(opened, padding=16 if over else 0)
    frame.pack(fill="both", expand=True)
    return frame


def menu_bar(desk: Desk, parent: tk.Misc, menus: dict[str, Sequence[tuple[str, Callable[[], None]]]]) -> None:
    bar = ttk.Frame(parent, padding=(4, 2))
    bar.pack(fill="x")
    for text, entries in menus.items():
        button = ttk.Menubutton(bar, text=text, style="Menu.TMenubutton")
        menu = tk.Menu(button, tearoff=False, title=text)
        for label, command in entries:
            menu.add_command(label=label, command=command)
        button["menu"] = menu
        button.pack(side="left")
        desk.name(text, button)
        desk.name_entries(f"{text} menu", menu)


def field(desk: Desk, parent: tk.Misc, row: int, name: str, label: str, widget: tk.Widget) -> None:
    """Put a field into a row of a form, with its label before it."""
    ttk.Label(parent, text=label).grid(row=row, column=0, sticky="w", pady=5, padx=(0, 18))
    widget.grid(row=row, column=1, sticky="ew", pady=5)
    desk.name(name, widget, label)


def buttons(desk: Desk, parent: tk.Misc, row: int, *which: tuple[str, str, Callable[[], None]]) -> None:
    """Put buttons (name, text, command) below a form, the last one as the main one."""
    bar = ttk.Frame(parent)
    bar.grid(row=row, column=0, columnspan=2, sticky="e", pady=(14, 0))
    for name, text, command in which:
        style = "Main.TButton" if text == which[-1][1] else "TButton"
        button = ttk.Button(bar, text=text, command=command, style=style)
        button.pack(side="left", padx=(8, 0))
        desk.name(name, button)
