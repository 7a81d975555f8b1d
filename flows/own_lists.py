"""The owner's own lists come in: a file, its mapping, its rows judged, one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flows.ledger import ledger_run
from sources.kit import list_dates
from sources.kit.errors import Refused
from sources.kit.list_mapping import Mapping, check_fits, guess, read_mapping, with_date_format
from sources.kit.own_lists import own_list
from sources.kit.sheet import read_sheet
from warehouse import migrate, runs
from warehouse.engine import reading, sole_writer, writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from checks.own_lists import Judged
    from flows.house import House
    from sources.kit.own_lists import OwnList
    from sources.kit.policy import Controller
    from sources.kit.sheet import Sheet
    from warehouse.own_lists import Outcome
    from warehouse.own_rows import Import

    Tell = Callable[[str, int, int | None], None]

OUTCOMES = ("new", "changed", "unchanged", "superseded", "out_of_scope", "quarantined")
"""What becomes of a row: exactly one of these."""
_DATED = ("date", "moment")


@dataclass(frozen=True)
class Prepared:
    """A list that was read, and the mapping it would be loaded by; nothing is stored yet."""

    own: OwnList
    name: str
    sheet: Sheet = field(repr=False)
    mapping: Mapping

    @property
    def dropped(self) -> list[str]:
        """Columns that nobody mapped or ignored."""
        return self.mapping.dropped(self.sheet.header)

    def as_json(self) -> dict[str, Any]:
        """The mapping as it is shown: their column to our field, and how days are written."""
        return {
            "is_guessed": self.mapping.is_guessed,
            "columns": dict(self.mapping.columns),
            "constants": dict(self.mapping.constants),
            "date_format": self.mapping.date_format,
            "ignored": list(self.mapping.ignored),
            "dropped": self.dropped,
        }


def prepare(code: str, path: Path, mapping_file: Path | None = None) -> Prepared:
    """Read the list and find its mapping: the file's, or a guess from the header.

    Raises `Refused` for a file, a mapping or a date format that cannot be worked with.
    """
    own = own_list(code)
    given = read_mapping(mapping_file, own) if mapping_file else Mapping({})
    sheet = read_sheet(
        path,
        encoding=given.encoding,
        separator=given.separator,
        sheet=given.sheet,
        has_decimal_comma=given.has_decimal_comma,
    )
    mapping = given if mapping_file else guess(sheet.header, own)
    check_fits(mapping, sheet.header, own)
    dated = with_date_format(mapping, _date_format(own, sheet, mapping))
    return Prepared(own, path.name, sheet, dated)


def confirmation_needed(prepared: Prepared) -> Refused:
    """What a guess is answered with where nobody can be asked: the guess itself, and the cure."""
    mapping = prepared.mapping
    said = [f"{theirs} = {ours}" for ours, theirs in mapping.columns.items()]
    said += [f"always {name} = {value}" for name, value in mapping.constants.items()]
    said += [f"days as {mapping.date_format}"]
    said += [f"dropped: {', '.join(prepared.dropped)}"] if prepared.dropped else []
    return Refused(
        f"import {prepared.own.code} {prepared.name}",
        f"its mapping is a guess that nobody has confirmed: {'; '.join(said)}",
        "Run it again with --yes, or keep the guess with --mapping-out FILE, correct it, and give "
        "it as --mapping FILE",
    )


def keep_mapping(prepared: Prepared, path: Path) -> None:
    """Write the mapping to a file of the reader's; never over one that is there."""
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(prepared.mapping.as_toml())
    except OSError as error:
        cause = error.strerror or "it cannot be written"
        raise Refused(f"mapping {path.name}", cause, "Give a new file's name") from None


def run(house: House, prepared: Prepared, tell: Tell, *, dry_run: bool = False) -> dict[str, Any]:
    """Judge the rows and load them, all in one transaction; return counts, never a value.

    As one run of the ledger under the one-writer lock. A dry run compares and writes nothing.
    """
    migrate.check(house.engine)
    controller = _controller(house)
    tell("rows", 0, len(prepared.sheet.rows))
    judged = _judged(house, prepared, controller)
    tell("rows", judged.count, len(prepared.sheet.rows))
    if dry_run:
        from warehouse.own_lists import sort_rows

        with reading(house.engine) as connection:
            outcome = sort_rows(connection, _import(house, prepared, judged, controller, 0))[0]
        return _report(prepared, judged, outcome, is_dry_run=True)
    with sole_writer(house.engine), ledger_run(house, "import", prepared.own.source_id) as ledger:
        from warehouse.own_lists import load

        with writing(house.engine) as connection:
            given = _import(house, prepared, judged, controller, ledger.run_id)
            outcome = load(connection, given)
            tell("merge", judged.count, judged.count)
        ledger.counts = dict(outcome.counts)
        return _report(prepared, judged, outcome, is_dry_run=False)


def _controller(house: House) -> Controller:
    """Whose lists they are: without that no origin can be written."""
    if house.settings.controller is None:
        raise Refused(
            "[controller]",
            "it is missing, so nobody can be named as the origin of the list",
            "Fill it in in sourcenote.toml",
        )
    return house.settings.controller


def _date_format(own: OwnList, sheet: Sheet, mapping: Mapping) -> str:
    """The stated one, or the only one that reads the file's days."""
    if mapping.date_format:
        list_dates.check_format(mapping.date_format)
        return mapping.date_format
    dated = [name for name, one in own.fields.items() if one.kind in _DATED]
    texts = [
        text
        for name in dated
        if name in mapping.columns
        for text in sheet.column(sheet.header.index(mapping.columns[name]))
        if text
    ]
    found = list_dates.evident_format(texts)
    if found is None:
        raise Refused(
            "date_format",
            "the file's days can be read in two ways, such as DD/MM/YYYY and MM/DD/YYYY",
            'Say in a mapping which it is: date_format = "DD/MM/YYYY"; see docs/commands.md',
        )
    return found


def _judged(house: House, prepared: Prepared, controller: Controller) -> Judged:
    from checks.own_lists import Terms, judge  # Arrow and the libraries for contacts come with it

    sheet, mapping = prepared.sheet, prepared.mapping
    texts = {
        name: sheet.column(sheet.header.index(theirs)) for name, theirs in mapping.columns.items()
    }
    texts |= {name: [value] * len(sheet.rows) for name, value in mapping.constants.items()}
    terms = Terms(
        home=controller.country,
        purposes=frozenset(row.id for row in house.settings.purpose),
        today=house.now().date(),
        date_format=mapping.date_format or list_dates.ISO,
    )
    return judge(prepared.own, texts, sheet.numbers, sheet.too_long, terms)


def _import(
    house: House, prepared: Prepared, judged: Judged, controller: Controller, run_id: int
) -> Import:
    from sources.kit.identity_numbers import without_personal_numbers
    from warehouse.own_rows import Bytes, Import

    sheet = prepared.sheet
    name = without_personal_numbers(prepared.name, controller.country)
    return Import(
        own=prepared.own,
        file=Bytes(name, sheet.sha256, sheet.byte_count, house.now()),
        controller=controller.name,
        policies=house.settings.retention,
        keys=house.keys,
        run_id=run_id,
        actor=runs.actor(house.engine),
        now=house.now(),
        rows=judged.rows,
        rejected=[(one.reference, one.rules, one.number, one.content) for one in judged.rejected],
        superseded=judged.superseded,
        dropped=prepared.dropped,
    )


def _report(
    prepared: Prepared, judged: Judged, outcome: Outcome, *, is_dry_run: bool
) -> dict[str, Any]:
    from flows.quarantine_steps import meaning_of

    return {
        "list": prepared.own.code,
        "file": prepared.name,
        "sha256": prepared.sheet.sha256,
        "dry_run": is_dry_run,
        "delivery_id": outcome.delivery_id,
        "records_in": judged.count,
        **{f"records_{name}": outcome.counts[name] for name in OUTCOMES},
        "quarantined_by_rule": dict(sorted(outcome.open_rules.items())),
        "quarantine_rules": {rule: meaning_of(rule) for rule in sorted(outcome.open_rules)},
        "stopped": outcome.stopped,
        "personal_numbers_dropped": judged.personal_numbers,
        "values_kept_out": dict(sorted(judged.kept_out.items())),
        "columns_dropped": prepared.dropped,
        "mapping": prepared.as_json(),
    }
