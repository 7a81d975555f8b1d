"""A stored contact point is in the form in which the do-not-contact list hashes it."""

from __future__ import annotations

import pyarrow as pa
import pytest

from sources.kit.contact_readings import read_column
from warehouse.privacy.suppression import canonical


@pytest.mark.parametrize(
    ("kind", "original"),
    [
        ("email", " Post@Firma.Example."),
        ("email", "POST@PRØVE.example"),
        ("email", "post@xn--prve-hra.example"),
        ("email", "post@firma.test"),
        ("phone", "tlf. 75 00 99 99"),
    ],
)
def test_a_value_is_its_own_canonical_form(kind, original) -> None:
    (value,) = read_column(kind, pa.array([original]), pa.array(["NO"])).values.to_pylist()
    assert canonical(kind, value) == value
