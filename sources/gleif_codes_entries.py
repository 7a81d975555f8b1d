"""An entry of GLEIF's code lists as the API gives it: taken, or rejected with the rule it broke.

Names as in answers of `/api/v1/entity-legal-forms` and `/api/v1/registration-authorities`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from sources.kit.code_words import UNSTATED, Authority, Codes, FormName, LegalForm, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sources.kit.json_api import Page

FORMED, TEXT, ONCE = "code_is_well_formed", "words_are_text", "code_is_unique"
_FORM, _AUTHORITY = "entity-legal-forms", "registration-authorities"
_CODE = {_FORM: re.compile("[0-9A-Z]{4}"), _AUTHORITY: re.compile("RA[0-9]{6}")}
_KNOWN = {
    _FORM: {
        *("code", "country", "countryCode", "jurisdiction", "subdivisionCode", "dateCreated"),
        *("status", "names", "language", "languageCode", "localName", "transliteratedName"),
        *("abbreviations", "abbreviationsLocalLanguage", "abbreviationsTransliterated"),
    },
    _AUTHORITY: {
        *("code", "internationalName", "localName", "internationalOrganizationName"),
        *("localOrganizationName", "website", "jurisdictions", "country", "countryCode"),
        *("jurisdiction", "jurisdictionCode", "comments"),
    },
}
_LONGEST = 4000


class _RejectedError(Exception):
    """An entry breaks the rule it names."""


def read(pages: Iterable[Page]) -> Codes:
    """Every entry of the pages, once; a code that stands twice with other words is rejected."""
    forms: dict[str, LegalForm] = {}
    authorities: dict[str, Authority] = {}
    rejected: list[Rejected] = []
    names: set[str] = set()
    repeated = 0
    for page in pages:
        for entry, offset in zip(page.data, page.offsets(), strict=True):
            try:
                taken = _taken(entry)
                held: dict[str, Any] = forms if isinstance(taken, LegalForm) else authorities
                repeated += _put(held, taken)
            except _RejectedError as error:
                rejected.append(_rejected(entry, str(error), offset))
            else:
                names |= set(_names(entry["attributes"])) - _KNOWN[entry["type"]]
    return Codes(
        tuple(forms.values()), tuple(authorities.values()), tuple(rejected), repeated, sorted(names)
    )


def _taken(entry: Any) -> LegalForm | Authority:  # noqa: ANN401 - JSON is any of its types
    kind = entry.get("type") if isinstance(entry, dict) else None
    if kind == _FORM:
        return _form(_attributes(entry, kind))
    if kind == _AUTHORITY:
        return _authority(_attributes(entry, kind))
    raise _RejectedError(TEXT)


def _put(held: dict[str, Any], entry: LegalForm | Authority) -> int:
    """Add the entry; 1 when the same one stands already."""
    before = held.setdefault(entry.code, entry)
    if before != entry:
        raise _RejectedError(ONCE)
    return int(before is not entry)


def _attributes(entry: dict[str, Any], kind: str) -> dict[str, Any]:
    found = entry.get("attributes")
    if not isinstance(found, dict):
        raise _RejectedError(TEXT)
    code = found.get("code")
    if not isinstance(code, str) or not _CODE[kind].fullmatch(code):
        raise _RejectedError(FORMED)
    return found


def _form(found: dict[str, Any]) -> LegalForm:
    names = tuple(_name(name) for name in _list(found, "names"))
    unnamed = (FormName(UNSTATED, None),)  # 8888 and 9999 stand for having no name
    return LegalForm(
        code=found["code"],
        names=names or unnamed,
        country=_text(found, "countryCode"),
        jurisdiction=_text(found, "subdivisionCode") or _text(found, "jurisdiction"),
        status=_text(found, "status"),
    )


def _name(name: dict[str, Any]) -> FormName:
    return FormName(
        language=_text(name, "languageCode") or UNSTATED,
        local_name=_text(name, "localName"),
        transliterated_name=_text(name, "transliteratedName"),
        abbreviations=_text(name, "abbreviationsLocalLanguage") or _text(name, "abbreviations"),
    )


def _authority(found: dict[str, Any]) -> Authority:
    where = _list(found, "jurisdictions")
    return Authority(
        code=found["code"],
        local_name=_text(found, "localName"),
        international_name=_text(found, "internationalName"),
        local_organisation=_text(found, "localOrganizationName"),
        international_organisation=_text(found, "internationalOrganizationName"),
        website=_text(found, "website"),
        countries=_joined(where, "countryCode"),
        jurisdictions=_joined(where, "jurisdiction"),
    )


def _joined(rows: list[dict[str, Any]], name: str) -> str | None:
    return ", ".join(dict.fromkeys(text for row in rows if (text := _text(row, name)))) or None


def _text(found: dict[str, Any], name: str) -> str | None:
    value = found.get(name)
    if value is not None and (not isinstance(value, str) or "\x00" in value):
        raise _RejectedError(TEXT)
    return value or None


def _list(found: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = found.get(name) or []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise _RejectedError(TEXT)
    return value


def _rejected(entry: Any, rule: str, offset: int) -> Rejected:  # noqa: ANN401 - JSON is any of its types
    key = entry.get("id") if isinstance(entry, dict) else None
    content = json.dumps(entry, ensure_ascii=True, sort_keys=True)[:_LONGEST]
    return Rejected(str(key or "")[:64].replace("\x00", ""), rule, content, offset)


def _names(node: Any) -> Iterable[str]:  # noqa: ANN401 - JSON is any of its types
    """Every name in the entry, wherever it stands."""
    if isinstance(node, dict):
        yield from node
    for below in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        yield from _names(below)
