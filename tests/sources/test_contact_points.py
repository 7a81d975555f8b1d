"""Contact points of registers come out in one form, and every one that went in is accounted for."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.kit.contact_points import Counts, Normalised, normalise

Field = tuple[int, str | None, str | None, str | None]


def raw(*fields: Field) -> pa.Table:
    columns = list(zip(*fields, strict=True)) or [(), (), (), ()]
    types = (pa.int64(), pa.string(), pa.string(), pa.string())
    names = ("ordinal", "kind", "original", "country")
    return pa.table(
        {
            name: pa.array(column, kind)
            for name, column, kind in zip(names, columns, types, strict=True)
        }
    )


def read(kind: str, original: str | None, country: str | None = "NO") -> Normalised:
    return normalise(raw((1, kind, original, country)))


def values(found: Normalised) -> list[str]:
    return found.points["value"].to_pylist()


MENDED = [
    ("email", "info@firma.example", "info@firma.example", None),
    ("email", " Info@Firma.Example ", "info@firma.example", None),
    ("email", "info@firma..example", "info@firma.example", "repeated_dots"),
    ("email", "info@firma.example.", "info@firma.example", "dot_at_edge"),
    ("email", "info.@firma.example", "info@firma.example", "dot_at_edge"),
    ("email", "info @firma.example", "info@firma.example", "spaces"),
    ("email", "info@firma. com", "info@firma.com", "spaces"),
    ("email", "MAILTO:info@firma.example?subject=x", "info@firma.example", "mailto"),
    ("email", "Anna <info@firma.example>", "info@firma.example", "display_name"),
    ("email", "E-post: info@firma.example", "info@firma.example", "label"),
    ("email", "info(at)firma.example", "info@firma.example", "written_at"),
    ("email", "info@@firma.example", "info@firma.example", "doubled_at"),
    ("email", "info@firma,example", "info@firma.example", "comma_for_dot"),
    ("email", '"info@firma.example";', "info@firma.example", "signs_at_edge"),
    ("email", "info\u200b@firma.example", "info@firma.example", None),
    ("email", "info＠firma.example", "info@firma.example", None),
    ("email", "post@prøve.example", "post@prøve.example", None),
    ("email", "post@xn--prve-hra.example", "post@prøve.example", None),
    ("phone", "75 00 99 99", "+4775009999", None),
    ("phone", "+47 75 00 99 99", "+4775009999", None),
    ("phone", "0047 75009999", "+4775009999", None),
    ("phone", "tlf. 75 00 99 99", "+4775009999", "label"),
    ("phone", "75 00 99 99 lok. 12", "+4775009999", "extension"),
    ("phone", "+45 32 99 99 99", "+4532999999", None),
    ("website", "https://firma.example", "https://firma.example", None),
    ("website", "HTTP://Firma.Example/", "http://firma.example", None),
    ("website", "www.firma.example", "https://www.firma.example", "scheme_added"),
    ("website", "www.firma.example/om", "https://www.firma.example/om", "scheme_added"),
    ("website", "https://firma.example:443/#top", "https://firma.example", None),
    (
        "website",
        "https://firma.example/a?b=1&utm_source=x",
        "https://firma.example/a?b=1",
        "tracking",
    ),
    ("website", "http:/firma.example", "http://firma.example", "broken_scheme"),
    ("website", "htpps://firma.example", "https://firma.example", "broken_scheme"),
    ("website", "http://https://firma.example", "https://firma.example", "doubled_scheme"),
    ("website", "https://www,firma.example", "https://www.firma.example", "comma_for_dot"),
    ("website", "https://www..firma.example", "https://www.firma.example", "repeated_dots"),
    ("website", "https://prøve.example", "https://xn--prve-hra.example", None),
    ("website", "Hjemmeside: www.firma.example", "https://www.firma.example", "label"),
]


@pytest.mark.parametrize(("kind", "original", "value", "repair"), MENDED)
def test_one_form_and_the_repair_that_made_it(kind, original, value, repair) -> None:
    found = read(kind, original)
    assert values(found) == [value]
    assert found.points["original"].to_pylist() == [original]
    counted = dict(found.counts.repairs)
    if repair == "label" and kind == "website":
        assert counted.pop("website.scheme_added") == 1
    assert counted == ({f"{kind}.{repair}": 1} if repair else {})


@pytest.mark.parametrize(
    ("kind", "original", "value"),
    [
        ("email", "a@x.example, b@y.example", ["a@x.example", "b@y.example"]),
        ("email", "a@x.example/b@y.example", ["a@x.example", "b@y.example"]),
        ("email", "a@x.example og b@y.example", ["a@x.example", "b@y.example"]),
        ("email", "a@x.example. b@y.example", ["a@x.example", "b@y.example"]),
        ("phone", "75 00 99 99 / 75 00 99 98", ["+4775009999", "+4775009998"]),
        ("phone", "75 00 99 99, 75 00 99 98", ["+4775009999", "+4775009998"]),
        (
            "website",
            "www.a.example, www.b.example",
            ["https://www.a.example", "https://www.b.example"],
        ),
    ],
)
def test_two_in_one_field_are_taken_apart(kind, original, value) -> None:
    found = read(kind, original)
    assert values(found) == value
    assert found.counts.split_off == 1
    assert found.counts.repairs[f"{kind}.two_in_one"] == 1


def test_an_area_code_is_no_number_of_its_own() -> None:
    assert values(read("phone", "089/32.39.50", "BE")) == ["+3289323950"]


@pytest.mark.parametrize(
    ("kind", "original", "rule"),
    [
        ("email", "", "email.empty"),
        ("email", None, "email.empty"),
        ("email", "www.firma.example", "email.no_at_sign"),
        ("email", "anna info@firma.example", "email.unreadable"),
        ("email", "info@firma.invalid", "email.unreadable"),
        ("email", "010190-1234@firma.example", "email.personal_number"),
        ("phone", "ingen", "phone.unreadable"),
        ("phone", "112", "phone.no_such_number"),
        ("phone", "010190 12345", "phone.personal_number"),
        ("website", "info@firma.example", "website.mailbox"),
        ("website", "https://a:b@firma.example", "website.mailbox"),
        ("website", "ingen", "website.no_host"),
        ("website", "http://127.0.0.1/", "website.no_host"),
        ("website", "ftp://firma.example", "website.no_host"),
        ("website", "firma.example/om oss", "website.unreadable"),
        ("website", "firma.example/010190-1234", "website.personal_number"),
        ("Anna 99", "x", "unknown_kind"),
    ],
)
def test_what_cannot_be_read_is_kept_out_by_rule(kind, original, rule) -> None:
    found = read(kind, original)
    assert values(found) == []
    assert dict(found.counts.kept_out) == {rule: 1}
    assert found.kept_out["rule"].to_pylist() == [rule.rpartition(".")[2]]
    assert "Anna" not in f"{found}{found.kept_out}"


def test_no_value_is_ever_in_what_is_told() -> None:
    fields = [(1, "email", "anna@firma.example", "NO"), (2, "phone", "010190 12345", "NO")]
    found = normalise(raw(*fields))
    told = f"{found!r}{found.kept_out}"
    assert not [text for _, _, text, _ in fields if text in told]


def test_the_same_value_of_one_company_is_one() -> None:
    found = normalise(
        raw(
            (1, "email", "info@firma.example.", "NO"),
            (1, "email", "info@firma.example", "NO"),
            (2, "email", "info@firma.example", "NO"),
            (1, "email", "other@firma.example", "NO"),
        )
    )
    assert found.points["ordinal"].to_pylist() == [1, 2, 1]
    assert found.points["original"].to_pylist()[0] == "info@firma.example"
    assert dict(found.counts.kept_out) == {"email.repeated": 1}


def test_other_columns_stay_and_nothing_is_no_trouble() -> None:
    table = raw((1, "phone", "112", "NO"), (2, "phone", "75009999", "NO"))
    table = table.append_column("legal_name", pa.array(["A", "B"]))
    assert normalise(table).points.to_pylist()[0]["legal_name"] == "B"
    for empty in (raw(), table.slice(0, 0)):
        assert normalise(empty).counts == Counts()


EMAIL_SIGNS = st.sampled_from(
    [*list("aZ09ø._-+'@@ ,;/<>()"), "firma.example", "info@", "mailto:", "(at)"]
)
PHONE_SIGNS = st.sampled_from([*list("0123456789+ /-().,;"), "tlf ", "75009999", "+45", "lok 1"])
WEB_SIGNS = st.sampled_from(
    [*list("aZ9ø.-/:?#=& ,@"), "www.", "http://", "https:", "firma.example", "&gclid=1"]
)
FIELDS = st.one_of(
    st.tuples(st.just("email"), st.lists(EMAIL_SIGNS, max_size=9).map("".join)),
    st.tuples(st.just("phone"), st.lists(PHONE_SIGNS, max_size=12).map("".join)),
    st.tuples(st.just("website"), st.lists(WEB_SIGNS, max_size=9).map("".join)),
    st.tuples(
        st.sampled_from(["email", "phone", "website", "fax"]), st.none() | st.text(max_size=12)
    ),
)
COUNTRIES = st.sampled_from(["NO", "DK", "SE", "FI", "EE", "LT", "GB", None])
TABLES = st.builds(
    lambda rows, lands: [(company, *field, lands[company]) for company, field in rows],
    st.lists(st.tuples(st.integers(0, 3), FIELDS), max_size=12),
    st.lists(COUNTRIES, min_size=4, max_size=4),
)


@given(TABLES)
def test_a_value_is_read_as_itself_again(fields) -> None:
    points = normalise(raw(*fields)).points
    again = points.drop_columns(["original", "value"]).append_column("original", points["value"])
    found = normalise(again)
    assert values(found) == points["value"].to_pylist()
    assert found.counts.usable == found.counts.received
    assert not found.counts.repairs


@given(TABLES)
def test_counts_add_up(fields) -> None:
    found = normalise(raw(*fields))
    counts = found.counts
    assert counts.received == len(fields)
    assert counts.received + counts.split_off == counts.usable + counts.kept_out.total()
    assert (counts.usable, counts.kept_out.total()) == (
        found.points.num_rows,
        found.kept_out.num_rows,
    )
    parts = [normalise(raw(*(row for row in fields if row[0] == one))).counts for one in range(4)]
    assert sum(parts, Counts()) == counts


@given(TABLES, st.randoms(use_true_random=False))
def test_the_order_of_fields_is_nothing(fields, random) -> None:
    shuffled = list(fields)
    random.shuffle(shuffled)
    one, other = normalise(raw(*fields)), normalise(raw(*shuffled))
    assert one.counts == other.counts
    key = [("ordinal", "ascending"), ("kind", "ascending"), ("value", "ascending")]
    assert one.points.sort_by(key).equals(other.points.sort_by(key))
