"""A program for the stock of a workshop."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from tests.guides.recordings.desk import Desk
from tests.guides.recordings.programs.look import buttons, dress, field, menu_bar, window

GROUND = "#eef0f3"
GROUPS = {
    "Fasteners": ("Bolts", "Nuts", "Rivets", "Washers"),
    "Bearings": ("Ball bearings", "Roller bearings"),
    "Seals": ("O-rings", "Gaskets"),
    "Drives": ("Belts", "Chains", "Pulleys"),
}
SIZES = ("M4", "M5", "M6", "M8", "M10", "M12", "M16", "M20")
KINDS = ("hex bolt", "socket bolt", "flange bolt", "carriage bolt", "eye bolt")
ITEMS = [f"{kind.capitalize()} {size}" for kind in KINDS for size in SIZES]


def _nothing() -> None:
    """Stand behind an entry that is not chosen in the recording."""


class Inventory:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        dress(desk, "Open Sans", 12, GROUND, "#2f5d8a", "#3f76ab")
        frame = window(desk, "main", "Stockroom - Wheelwright workshop", "1500x900+180+70", GROUND, None)
        self.main = frame.winfo_toplevel()
        menu_bar(
            desk,
            frame,
            {
                "File": (("New list", _nothing), ("Print", _nothing), ("Close", _nothing)),
                "Goods": (
                    ("Receive goods...", self.receive),
                    ("Issue goods...", _nothing),
                    ("Recount", _nothing),
                ),
                "View": (("Only low stock", _nothing), ("Columns...", _nothing)),
                "Suppliers": (("Show supplier...", self.supplier), ("Order list", _nothing)),
                "Help": (("Contents", _nothing), ("About", _nothing)),
            },
        )
        self.bar = ttk.Progressbar(frame, mode="indeterminate", length=180)
        self.status = ttk.Label(frame, text=f"{len(ITEMS)} items", padding=(10, 6))
        self.status.pack(side="bottom", anchor="w")
        self.fill(ttk.PanedWindow(frame, orient="horizontal"))

    def fill(self, panes: ttk.PanedWindow) -> None:
        panes.pack(fill="both", expand=True, padx=10)
        groups = ttk.Treeview(panes, show="tree", selectmode="browse")
        groups.column("#0", width=290)
        for group, members in GROUPS.items():
            groups.insert("", "end", iid=group, text=group)
            for member in members:
                groups.insert(group, "end", iid=member, text=member)
                self.desk.name_row(member, groups, member)
            self.desk.name_row(group, groups, group)
        right = ttk.Frame(panes)
        table = ttk.Treeview(right, columns=("item", "stock", "bin", "price"), show="headings")
        for column, width in (("item", 480), ("stock", 180), ("bin", 180), ("price", 200)):
            table.heading(column, text=column.capitalize())
            table.column(column, width=width)
        scroll = ttk.Scrollbar(right, command=table.yview)
        table.configure(yscrollcommand=scroll.set)
        scroll.pack(side="right", fill="y")
        table.pack(fill="both", expand=True)
        groups.bind("<<TreeviewSelect>>", lambda event: self.show(groups.selection()))
        panes.add(groups)
        panes.add(right)
        self.table = table
        self.desk.name("table", table, "Item")

    def show(self, chosen: tuple[str, ...]) -> None:
        """Show the items of a group; all have the same in this program."""
        if chosen and chosen[0] == "Bolts" and not self.table.get_children():
            for number, item in enumerate(ITEMS):
                place = f"{'ABCDE'[number % 5]}-{number % 17 + 1:02}"
                values = (item, 12 + number * 37 % 240, place, f"0.{11 + number * 3 % 80} EUR")
                self.table.insert("", "end", iid=item, values=values)
                self.desk.name_row(item, self.table, item)
            self.status.configure(text=f"Bolts: {len(ITEMS)} items")

    def receive(self) -> None:
        form = window(self.desk, "receive", "Receive goods", "520x330+700+310", GROUND, self.main)
        form.columnconfigure(1, weight=1)
        item = self.table.selection()[0]
        ttk.Label(form, text=item, style="Title.TLabel").grid(columnspan=2, sticky="w", pady=(0, 8))
        quantity, note = (ttk.Entry(form, font=("Open Sans", 12)) for _ in range(2))
        place = ttk.Combobox(form, values=("Goods in", "Quarantine", "Shelf A-09", "Van 2"), state="readonly")
        place.configure(font=("Open Sans", 12))
        field(self.desk, form, 1, "quantity", "Quantity", quantity)
        field(self.desk, form, 2, "place", "Put away in", place)
        field(self.desk, form, 3, "note", "Delivery note", note)
        label = ttk.Checkbutton(form, text="Print bin labels", variable=tk.BooleanVar(form))
        label.state(["!alternate"])
        label.grid(row=4, column=1, sticky="w", pady=6)
        self.desk.name("labels", label)
        self.desk.name_choices("places", place)

        def book() -> None:
            stock = int(self.table.set(item, "stock")) + int(quantity.get())
            form.winfo_toplevel().destroy()
            self.bar.pack(side="bottom", anchor="e", padx=12, pady=8)
            self.bar.start(12)
            self.status.configure(text="Booking...")
            self.main.after(1200, lambda: self.booked(item, stock))

        cancel = form.winfo_toplevel().destroy
        buttons(self.desk, form, 5, ("cancel", "Cancel", cancel), ("book", "Book receipt", book))

    def booked(self, item: str, stock: int) -> None:
        self.bar.stop()
        self.bar.pack_forget()
        self.table.set(item, "stock", stock)
        self.status.configure(text=f"{item}: {stock} in stock")

    def supplier(self) -> None:
        form = window(self.desk, "supplier", "Supplier", "560x320+760+330", GROUND, self.main)
        form.columnconfigure(1, weight=1)
        ttk.Label(form, text="Hollins & Tarrow Ltd", style="Title.TLabel").grid(columnspan=2, sticky="w")
        rows = (
            ("Contact", "name", "Casimir Hollinsworth"),
            ("E-mail", "email", "sales@hollinstarrow.example"),
            ("Phone", "phone", "+44 1632 960 541"),
            ("Card on account", "card", "5105 1051 0510 5100"),
            ("Order key", "token", "htk_Qw83LmZx52Rv07TyBn61"),
        )
        for row, (label, kind, text) in enumerate(rows, start=1):
            ttk.Label(form, text=label, style="Dim.TLabel").grid(row=row, sticky="w", pady=6, padx=(0, 24))
            value = ttk.Label(form, text=text)
            value.grid(row=row, column=1, sticky="w")
            self.desk.hide(kind, text, value)
        buttons(self.desk, form, 9, ("close", "Close", form.winfo_toplevel().destroy))
