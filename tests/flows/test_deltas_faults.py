"""Publications that come wrong over HTTP: what is said, what stays, and where the next one ends."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from following import Following, at, content, published, state
from ingesting import OUTCOMES, Row, csv_bytes
from our_command import Answer

from sources.kit.standin import Publish, StandIn

BY_HAND = r"--file"
FAULTS = {
    "missing": (r"-last-day\.csv\.zip$", r"it answers HTTP 404", r"^Run again"),
    "wrong_delta_record_count": (
        r"^delivery [0-9a-f]{12} of gleif$",
        r"record_count_fits .* it holds 4 rows; the publisher listed 5",
        rf"^Nothing was loaded\. Run again.*{BY_HAND}",
    ),
    "wrong_delta_size": (r"-last-day\.csv\.zip$", r"bytes long, not \d+ as listed", BY_HAND),
    "listing_not_json": (r"/publishes$", r"a web page came instead of JSON", BY_HAND),
    "listing_empty": (r"GLEIF's listing", r"'data\.0' is missing", BY_HAND),
    "server_error": (r"-last-day\.csv\.zip$", r"it answers HTTP 500, after 5 attempts", BY_HAND),
    "bad_crc": (r"-last-day\.csv", r"checksum|CRC|damaged", r"\w"),
}


def is_told(answer: Answer, thing: str, cause: str, cure: str) -> None:
    """The call was refused with these three, and with nothing else."""
    assert answer.code == 1, answer.out
    error = answer.document["error"]
    assert set(error) == {"thing", "cause", "cure"}
    for name, pattern in (("thing", thing), ("cause", cause), ("cure", cure)):
        assert re.search(pattern, error[name]), error


def changes_are_exact(following: Following, *steps: int) -> None:
    """Each renaming on the way, once: what it was, what it became, which publication said so."""
    told = following.held.ask(
        "SELECT p.lei, c.old_value, c.new_value, d.published_at FROM changes c "
        "JOIN prospects p ON p.company_id = c.company_id "
        "JOIN deliveries d ON d.delivery_id = c.delivery_id WHERE c.field = 'legal_name'"
    )
    wanted = []
    for before, after in pairwise(steps):
        names = {row["LEI"]: row["Entity.LegalName"] for row in state(before)}
        wanted += [
            (row["LEI"], names[row["LEI"]], row["Entity.LegalName"], f"{at(after):%Y-%m-%d %H}")
            for row in state(after)
            if names.get(row["LEI"], row["Entity.LegalName"]) != row["Entity.LegalName"]
        ]
    said = [tuple(str(value) for value in row.values()) for row in told]
    assert sorted((*row[:3], row[3][:13].replace("T", " ")) for row in said) == sorted(wanted)


def counts_add_up(following: Following) -> None:
    """Every delivery's rows went to one outcome each; nothing came in two ways."""
    for row in following.held.ask("SELECT * FROM deliveries WHERE status <> 'refused'"):
        assert row["records_in"] == sum(row[f"records_{name}"] for name in OUTCOMES)
    brought = following.held.one("SELECT sum(records_new) FROM deliveries")
    assert brought == following.held.one("SELECT count(*) FROM prospects")


@pytest.mark.usefixtures("in_a_hurry")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_and_the_next_publication_ends_right(begun: Following, fault: str) -> None:
    before = begun.held.state()
    begun.standin.misbehave(fault)
    is_told(begun.command(1), *FAULTS[fault])
    assert (begun.held.state(), begun.applied()) == (before, at(0))
    begun.standin.behave()
    begun.standin.publish(published(0, 1, 2)[-1])
    answer = begun.command(2)
    assert (answer.code, answer.document["kind"]) == (0, "delta")
    assert begun.is_at(2)
    assert begun.applied() == at(2)
    changes_are_exact(begun, 0, 2)
    counts_add_up(begun)


def test_a_full_file_of_another_length_than_listed_is_refused_and_then_loaded(
    following: Following,
) -> None:
    following.standin.publish(published(0)[0])
    following.standin.misbehave("wrong_record_count")
    cause = "record_count_fits .* it holds 60 rows; the publisher listed 61"
    is_told(following.command(0), "of gleif$", cause, "Run again.*--file")
    assert following.held.one("SELECT count(*) FROM record") == 0
    following.standin.behave()
    assert following.command(0).code == 0
    assert following.is_at(0)


def test_a_publication_from_the_future_is_loaded_when_its_time_has_come(
    begun: Following,
) -> None:
    before = begun.held.state()
    begun.standin.publish(published(0, 1, 9)[-1])
    told = (
        "publication of 2026-11-05 00:00 UTC",
        "in the future: it is 2026-11-02 10:00",
        "Nothing was loaded. Set this machine's clock right",
    )
    is_told(begun.command(1), *told)
    assert (begun.held.state(), begun.applied()) == (before, at(0))
    assert begun.command(9).document["kind"] == "delta"
    assert begun.is_at(9)
    changes_are_exact(begun, 0, 9)


def test_a_listing_that_falls_back_to_an_older_publication_changes_nothing(
    begun: Following,
) -> None:
    """Two servers of the publisher, one of them behind: the older word is not asked for."""
    begun.command(1)
    before, current = begun.held.state(), begun.standin
    with StandIn(published(0)) as behind:
        begun.standin = behind
        answer = begun.command(1)
        assert (answer.code, answer.document["status"]) == (0, "up_to_date")
        fetched = [seen.path for seen in behind.requests if seen.method == "GET"]
        assert not [path for path in fetched if path.startswith("/storage")]
    assert (begun.held.state(), begun.applied()) == (before, at(1))
    begun.standin = current
    current.publish(published(0, 1, 2)[-1])
    assert begun.command(2).document["kind"] == "delta"
    assert begun.is_at(2)
    changes_are_exact(begun, 0, 1, 2)
    counts_add_up(begun)


def test_the_same_delta_under_a_later_publication_changes_nothing(begun: Following) -> None:
    """Delivered twice by the publisher: what it says is held, and the date is applied."""
    begun.command(1)
    before = begun.held.state()
    delta = content(published(0, 1)[1], "LastDay")
    begun.standin.publish(Publish(at(2), csv_bytes(state(1)), deltas={"LastDay": delta}))
    answer = begun.command(2)
    assert answer.code == 0
    counts = answer.document["counts"]
    assert (counts["records_in"], counts["records_unchanged"]) == (4, 4)
    assert (begun.held.state(), begun.applied()) == (before, at(2))
    begun.standin.publish(published(0, 1, 2, 3)[-1])
    assert begun.command(3).document["kind"] == "delta"
    assert begun.is_at(3)
    counts_add_up(begun)


def test_a_delta_with_every_row_twice_counts_each_and_writes_once(begun: Following) -> None:
    once = csv_bytes(changed_rows(0, 1))
    header, _, rows = once.partition(b"\r\n")
    begun.standin.publish(
        Publish(at(2), csv_bytes(state(1)), deltas={"LastDay": header + b"\r\n" + rows * 2})
    )
    answer = begun.command(2)
    assert answer.code == 0
    counts = answer.document["counts"]
    names = ("in", "new", "changed", "superseded", "quarantined")
    assert [counts[f"records_{name}"] for name in names] == [8, 2, 2, 4, 0]
    assert begun.is_at(1)
    assert begun.held.one("SELECT count(*) FROM changes WHERE field = 'legal_name'") == 2
    counts_add_up(begun)


def changed_rows(before: int, after: int) -> list[Row]:
    """What a delta between these two steps holds."""
    known = {row["LEI"]: row for row in state(before)}
    return [row for row in state(after) if known.get(row["LEI"]) != row]


def test_without_deltas_the_full_file_tells_the_same_and_deltas_go_on(begun: Following) -> None:
    begun.standin.misbehave("no_deltas")
    answer = begun.command(1)
    assert (answer.code, answer.document["kind"]) == (0, "full")
    begun.standin.behave()
    begun.standin.publish(published(0, 1, 2)[-1])
    assert begun.command(2).document["kind"] == "delta"
    changes_are_exact(begun, 0, 1, 2)
    counts_add_up(begun)


def test_a_long_sequence_of_good_and_bad_publications_is_told_exactly(
    following: Following, in_a_hurry: None
) -> None:
    """Every second publication is lost to another fault; nothing of that shows at the end."""
    lost = dict(zip((1, 3, 5, 7, 9, 11, 13), FAULTS, strict=True))
    applied = []
    for step, publish in enumerate(published(*range(15))):
        following.standin.behave()
        following.standin.publish(publish)
        if step in lost:
            following.standin.misbehave(lost[step])
            assert following.command(step).code == 1
            continue
        if step == 8:
            following.standin.misbehave("no_deltas")
        answer = following.command(step)
        assert answer.code == 0, answer.out
        assert answer.document["kind"] == ("full" if step in {0, 8} else "delta")
        applied.append(step)
        assert following.is_at(step)
        assert following.command(step).document["status"] == "up_to_date"
    changes_are_exact(following, *applied)
    counts_add_up(following)
    assert following.held.one("SELECT count(*) FROM record WHERE absent_count > 0") == 0
