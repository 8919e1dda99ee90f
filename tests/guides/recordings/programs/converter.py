"""A program that converts sound files."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from tests.guides.recordings.desk import Desk
from tests.guides.recordings.programs.look import buttons, dress, field, menu_bar, window

GROUND = "#f5f1ea"
LETTERS = ("Cantarell", 12)
FILES = [f"{number:02}_{name}.wav" for number, name in enumerate((
    "harbour_at_dawn", "rain_on_tin", "kettle", "tram_depot", "geese", "wind_in_reeds", "old_clock",
    "footsteps_gravel", "market_hall", "brass_band", "cellar_door", "sawmill", "church_bells", "ferry_horn",
    "typewriter", "night_train", "frogs", "fountain", "bicycle_bell", "thunder_far", "swing", "bonfire",
), start=1)]  # fmt: skip


class Converter:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        dress(desk, *LETTERS, GROUND, "#8a4b2f", "#a5613f")
        frame = window(desk, "main", "Reelwright", "960x620+150+70", GROUND, None)
        self.main = frame.winfo_toplevel()
        menu_bar(
            desk,
            frame,
            {
                "Queue": (("Add folder...", self.ask), ("Remove all...", self.ask)),
                "Help": (("Shortcuts", self.about), ("Licence...", self.about)),
            },
        )
        self.foot(frame)
        pages = ttk.Notebook(frame)
        pages.pack(fill="both", expand=True, padx=10, pady=6)
        self.queue, self.format = ttk.Frame(pages, padding=8), ttk.Frame(pages, padding=20)
        pages.add(self.queue, text="Queue", padding=4)
        pages.add(self.format, text="Output format", padding=4)
        self.fill_queue()
        self.fill_format()
        desk.name_tab("format tab", pages, 1)
        desk.name("format page", self.format, "Output format")

    def foot(self, frame: ttk.Frame) -> None:
        foot = ttk.Frame(frame, padding=10)
        foot.pack(side="bottom", fill="x")
        self.status = ttk.Label(foot, text=f"{len(FILES)} files waiting", width=24)
        self.status.pack(side="left")
        self.bar = ttk.Progressbar(foot, maximum=100)
        self.bar.pack(side="left", fill="x", expand=True, padx=14)
        start = ttk.Button(foot, text="Convert", style="Main.TButton", command=self.convert)
        start.pack(side="right")
        self.desk.name("convert", start)

    def fill_queue(self) -> None:
        table = ttk.Treeview(self.queue, columns=("file", "length", "state"), show="headings")
        for column, text, width in (
            ("file", "File", 420),
            ("length", "Length", 140),
            ("state", "State", 180),
        ):
            table.heading(column, text=text, anchor="w")
            table.column(column, width=width)
        for number, name in enumerate(FILES):
            length = f"{number % 4 + 1}:{number * 17 % 60:02}"
            table.insert("", "end", iid=name, values=(name, length, "waiting"))
            self.desk.name_row(name, table, name)
        scroll = ttk.Scrollbar(self.queue, command=table.yview)
        table.configure(yscrollcommand=scroll.set)
        scroll.pack(side="right", fill="y")
        table.pack(fill="both", expand=True)
        self.table = table
        self.desk.name("table", table, "File")

    def fill_format(self) -> None:
        form = self.format
        form.columnconfigure(1, weight=1)
        kind = ttk.Combobox(
            form, values=("MP3", "Ogg Vorbis", "Opus", "FLAC"), state="readonly", font=LETTERS
        )
        kind.set("MP3")
        prefix, key = ttk.Entry(form, font=LETTERS), ttk.Entry(form, font=LETTERS, show="\u2022")
        field(self.desk, form, 0, "kind", "Format", kind)
        field(self.desk, form, 1, "prefix", "Name prefix", prefix)
        field(self.desk, form, 2, "key", "Archive password", key)
        self.desk.name_choices("kinds", kind)
        self.desk.hide_typed("password", key)
        self.rate = tk.StringVar(form, "44.1 kHz")
        rates = ttk.Frame(form)
        ttk.Label(form, text="Sample rate").grid(row=3, sticky="w")
        rates.grid(row=3, column=1, sticky="w", pady=8)
        for text in ("22.05 kHz", "44.1 kHz", "48 kHz"):
            button = ttk.Radiobutton(rates, text=text, value=text, variable=self.rate)
            button.pack(side="left", padx=(0, 20))
            self.desk.name(text, button)
        for row, text in enumerate(("Trim silence", "Even out loudness"), start=4):
            tick = ttk.Checkbutton(form, text=text, variable=tk.BooleanVar(form))
            tick.state(["!alternate"])
            tick.grid(row=row, column=1, sticky="w", pady=4)
            self.desk.name(text, tick)

    def ask(self) -> None:
        form = window(self.desk, "ask", "Remove all files", "430x140+420+300", GROUND, self.main)
        ttk.Label(form, text="Take all 22 files off the queue?").grid(columnspan=2, sticky="w", pady=6)
        shut = form.winfo_toplevel().destroy
        buttons(self.desk, form, 1, ("keep", "Keep them", shut), ("remove", "Remove", shut))

    def about(self) -> None:
        form = window(self.desk, "licence", "Licence", "480x270+390+240", GROUND, self.main)
        form.columnconfigure(1, weight=1)
        rows = (
            ("Registered to", "name", "Marguerite Stelling"),
            ("E-mail", "email", "m.stelling@reedsound.example"),
            ("Phone", "phone", "555-0136"),
            ("Licence key", "token", "RW2-7KQX4-9MZTB-41HVC-8YLD3"),
            ("Paid with", "card", "4012 8888 8888 1881"),
        )
        for row, (label, kind, text) in enumerate(rows):
            ttk.Label(form, text=label, style="Dim.TLabel").grid(row=row, sticky="w", padx=(0, 20), pady=3)
            value = ttk.Label(form, text=text)
            value.grid(row=row, column=1, sticky="w")
            self.desk.hide(kind, text, value)
        buttons(self.desk, form, 9, ("ok", "OK", form.winfo_toplevel().destroy))

    def convert(self) -> None:
        self.status.configure(text="Converting...")
        self.advance(0)

    def advance(self, done: int) -> None:
        self.bar.configure(value=done)
        if done < 100:
            self.main.after(60, lambda: self.advance(done + 4))
            return
        for name in FILES:
            self.table.set(name, "state", "done")
        self.status.configure(text="22 files converted")
        form = window(self.desk, "finished", "Finished", "380x140+440+300", GROUND, self.main)
        ttk.Label(form, text="22 files were converted.").grid(columnspan=2, sticky="w", pady=6)
        shut = form.winfo_toplevel().destroy
        buttons(self.desk, form, 1, ("folder", "Show folder", shut), ("fine", "Close", shut))
