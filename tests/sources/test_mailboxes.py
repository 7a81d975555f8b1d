"""A mailbox is a role's only where it is shown to be; names are alike and nothing follows."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.kit.contact_points import normalise
from sources.kit.mailboxes import DomainTally, classify
from sources.kit.names import core, cores, likeness

FIRM = "Kvist & Tømrer ApS"


def points(*fields: tuple, own: str | None = None, name: str = FIRM, country: str = "DK"):
    """Normalised points of (ordinal, kind, original)."""
    rows = [(*field, country, name, own) for field in fields]
    names = ("ordinal", "kind", "original", "country", "legal_name", "own_domain")
    columns = zip(*rows, strict=True)
    table = pa.table(dict(zip(names, map(list, columns), strict=True)))
    place = table.schema.get_field_index("own_domain")
    return normalise(
        table.set_column(place, "own_domain", table["own_domain"].cast(pa.string()))
    ).points


def class_of(
    address: str, *, site: str | None = None, shared: tuple[str, ...] = (), **words
) -> str:
    fields = [(1, "email", address)] + ([(1, "website", site)] if site else [])
    found = classify(points(*fields, **words), pa.array(shared, pa.string()))
    return found.to_pylist()[0]["mailbox_class"]


@pytest.mark.parametrize(
    "local",
    ["post", "info", "info2", "salg-info", "kundeservice.salg", "indkøb", "myynti", "müük", "myyk"],
)
def test_a_role_at_the_companys_own_domain(local) -> None:
    assert class_of(f"{local}@firma.example", site="www.firma.example/om") == "role"
    assert class_of(f"{local}@oslo.firma.example", site="http://firma.example") == "role"
    assert class_of(f"{local}@firma.example", own="Firma.example") == "role"
    assert class_of(f"{local}@firma.example") == "unknown"
    assert class_of(f"{local}@firma.example", site="other.example") == "unknown"


@pytest.mark.parametrize(
    ("domain", "found"),
    [
        ("kvisttømrer.example", "role"),
        ("kvisttoemrer.example", "role"),
        ("kvist-tomrer.example", "role"),
        ("kvist.example", "unknown"),
        ("kvisttoemrer.firma.example", "unknown"),
        ("kvisttoemrer-aps.example", "unknown"),
    ],
)
def test_the_name_is_proof_only_letter_by_letter(domain, found) -> None:
    assert class_of(f"post@{domain}") == found
    assert class_of(f"post@{domain}", name="Other A/S") == "unknown"


def test_estonian_domains_write_y() -> None:
    assert class_of("info@kymme.example", name="Kümme OÜ", country="EE") == "role"


def test_a_short_name_is_no_proof() -> None:
    assert class_of("post@abc.example", name="ABC ApS") == "unknown"


@pytest.mark.parametrize(
    ("local", "found"),
    [
        ("anna.hansen", "named"),
        ("a.hansen", "named"),
        ("anna-lise.hansen", "named"),
        ("anna", "unknown"),
        ("ah", "unknown"),
        ("salg.oslo", "unknown"),
        ("infos", "unknown"),
        ("prøve", "unknown"),
        ("post+anna", "role"),
    ],
)
def test_others_at_the_own_domain_are_treated_as_named(local, found) -> None:
    assert class_of(f"{local}@firma.example", site="firma.example") == found


def test_free_mail_and_shared_domains_come_first() -> None:
    assert class_of("info@gmail.com", site="gmail.com") == "free-mail"
    assert (
        class_of("info@agent.example", site="agent.example", shared=("agent.example",)) == "agent"
    )
    assert class_of("anna.hansen@inbox.lv", shared=("inbox.lv",)) == "free-mail"


def test_what_follows_is_data_and_only_a_role_is_no_person() -> None:
    table = points(
        (1, "email", "post@firma.example"),
        (1, "email", "anna.hansen@firma.example"),
        (1, "email", "anna@firma.example"),
        (1, "phone", "32 99 99 99"),
        (1, "website", "www.firma.example"),
        (2, "email", "post@agent.example"),
    )
    found = classify(table, pa.array(["agent.example"])).to_pylist()
    assert [(row["recipient_kind"], row["person_kind"]) for row in found] == [
        ("role_mailbox", "none"),
        ("named_person", "natural"),
        ("named_person", "natural"),
        (None, "none"),
        (None, "none"),
        ("named_person", "possible"),
    ]


def test_a_punycode_site_and_a_unicode_address_are_one_domain() -> None:
    assert class_of("post@prøve.example", site="www.prøve.example") == "role"


def test_a_frame_without_mailboxes_or_rows() -> None:
    for table in (points((1, "phone", "32 99 99 99")), points((1, "phone", "x"))):
        found = classify(table)
        assert found["mailbox_class"].to_pylist() == [None] * table.num_rows


def test_shared_domains_are_counted_by_companies_over_frames() -> None:
    tally = DomainTally()
    for frame in range(40):
        tally.add(
            points(
                (1, "email", "a@agent.example"),
                (1, "email", "b@agent.example"),
                (2, "email", f"post@firma{frame}.example"),
                (3, "website", "agent.example"),
            )
        )
    assert tally.shared(39).to_pylist() == ["agent.example"]
    assert tally.shared(40).to_pylist() == []
    assert tally.shared().to_pylist() == ["agent.example"]
    assert DomainTally().shared().to_pylist() == []


DOMAINS = st.sampled_from(["firma.example", "agent.example", "gmail.com"])
FRAMES = st.lists(
    st.lists(
        st.tuples(st.integers(0, 3), st.just("email"), DOMAINS.map("post@{}".format)),
        min_size=1,
        max_size=5,
    ),
    min_size=1,
    max_size=20,
)


@given(FRAMES, st.randoms(use_true_random=False), st.integers(0, 6))
def test_frames_count_in_any_order(frames, random, bound) -> None:
    one, other = DomainTally(), DomainTally()
    for frame in frames:
        one.add(points(*frame))
    random.shuffle(frames)
    for frame in frames:
        other.add(points(*frame))
    assert one.shared(bound).equals(other.shared(bound))


@pytest.mark.parametrize(
    ("name", "country", "found"),
    [
        ("Kvist & Søn A/S", "DK", "kvist søn"),
        ("AS Firma", "EE", "firma"),
        ("OÜ Firma OÜ", "EE", "firma"),
        ("AS AS AS AS Firma AS AS", "EE", "firma"),
        ("Firma Oy Ab", "FI", "firma"),
        ("AS", "NO", "as"),
        ("Asker Bygg AS", "NO", "asker bygg"),
        ("Firma GmbH & Co. KG", "DE", "firma"),
        ("Firma AS", None, "firma as"),
        ("", "NO", ""),
    ],
)
def test_legal_forms_are_stripped_by_country(name, country, found) -> None:
    assert core(name, country) == found


def test_absent_names_stay_absent() -> None:
    assert cores(pa.array([None, "Firma AS"]), "NO").to_pylist() == [None, "firma"]


def test_likeness_is_a_number_to_read() -> None:
    assert likeness("Kvist Holm ApS", "HOLM KVIST A/S", "DK") == 100
    assert likeness("Ærø Færge ApS", "Aero Ferry ApS", "DK") < 90
    assert likeness("Kvist Holm", "Brændgaard", "DK") < 50
    assert likeness("", "Firma", "DK") == 0
    # Forms are taken off first: alike as two that differ in nothing but them.
    assert likeness("Kvist ApS", "Kvist Aktieselskab", "DK") == 100
    assert likeness("OÜ Põhjatäht", "Pohjataht Osaühing", "EE") == 100
    # rapidfuzz finds the most signs in one order, where the longest piece in common (25) misleads.
    assert likeness("bcaacccb", "ccabbabc", None) == 50


@given(st.text(max_size=12), st.text(max_size=12), st.sampled_from(["DK", "FI", None]))
def test_likeness_has_no_sides_and_cores_are_their_own(one, other, country) -> None:
    assert likeness(one, other, country) == likeness(other, one, country)
    assert 0 <= likeness(one, other, country) <= 100
    assert core(core(one, country), country) == core(one, country)
