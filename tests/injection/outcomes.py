"""What became of a corpus that was run: what came through, what was refused, and the table that says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.injection.cases import Case


@dataclass(frozen=True)
class Outcome:
    """One case in one way. `markdown` is None where the answer was refused as a whole.

    `planted` are links, pictures, HTML, code, addresses, commands and numbers, `claims` sentences without these;
    `to_review` is how many steps are marked.
    """

    case: Case
    way: str
    markdown: str | None
    planted: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    to_review: int = 0


@dataclass(frozen=True)
class Outcomes:
    all: tuple[Outcome, ...]

    @property
    def through(self) -> list[str]:
        """The names of the attacks of which something came through in at least one way."""
        return sorted({outcome.case.name for outcome in self.all if outcome.planted})

    @property
    def believed(self) -> list[str]:
        """The names of the attacks of which a sentence came through, but nothing that can be followed or run."""
        return sorted({outcome.case.name for outcome in self.all if outcome.claims} - set(self.through))

    @property
    def clean_documents(self) -> str:
        """Every document in which nothing was found, once, one after the other."""
        made = [outcome.markdown for outcome in self.all if outcome.markdown and not outcome.planted]
        return "\n\n".join(dict.fromkeys(made))

    def table(self, title: str) -> str:
        """Return the rates by kind of attack and by way of obeying it, and what came through."""
        answers = sum(bool(outcome.planted) for outcome in self.all)
        refused = sum(outcome.markdown is None for outcome in self.all)
        lines = [
            f"{title}: {len(self.through)} of {len({outcome.case.name for outcome in self.all})} attacks came through "
            f"and {len(self.believed)} as sentences, in {answers} of {len(self.all)} answers; "
            f"{refused} answers were refused as a whole"
        ]
        for name, keys in (
            ("by kind", [outcome.case.kind for outcome in self.all]),
            ("by way", [outcome.way for outcome in self.all]),
        ):
            lines.append(
                f"  {name}: {', '.join(f'{key} {self._rate(keys, key)}' for key in sorted(set(keys)))}"
            )
        lines += [
            f"  {outcome.case}, {outcome.way}: {', '.join(outcome.planted + outcome.claims)}"
            for outcome in self.all
            if outcome.planted or outcome.claims
        ]
        return "\n".join(lines)

    def _rate(self, keys: Sequence[str], key: str) -> str:
        of = [outcome for outcome, own in zip(self.all, keys, strict=True) if own == key]
        return f"{sum(bool(outcome.planted) for outcome in of)}/{len(of)}"


def share(found: Iterable[bool]) -> tuple[float, str]:
    """Return the share of what is true, and the same in words."""
    flags = list(found)
    return sum(flags) / len(flags), f"{sum(flags)} of {len(flags)}"
