"""The rules a delivery is held against: what each asks, and what happens when it does not hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["stop", "quarantine", "note"]


@dataclass(frozen=True)
class Rule:
    """`name` is its verdict column; a True verdict means that the rule holds."""

    name: str
    severity: Severity
    meaning: str


ENTITY_RULES: tuple[Rule, ...] = (
    Rule("text_is_readable", "quarantine", "every kept field is UTF-8 without control characters"),
    Rule("lei_is_well_formed", "quarantine", "the LEI is 18 capitals or digits and two digits"),
    Rule("lei_check_digits_hold", "quarantine", "the LEI leaves 1 modulo 97 (ISO 17442-1)"),
    Rule(
        "key_is_unique",
        "quarantine",
        "the key (an LEI, or a register's number) stands once, or each time with the same content",
    ),
    Rule("legal_name_is_present", "quarantine", "the record has a legal name"),
    Rule("entity_status_is_known", "quarantine", "EntityStatus is on the LEI-CDF list"),
    Rule("entity_category_is_known", "quarantine", "EntityCategory is absent or on the list"),
    Rule("lei_status_is_known", "quarantine", "RegistrationStatus is on the LEI-CDF list"),
    Rule("countries_are_known", "quarantine", "address countries are ISO 3166-1 codes"),
    Rule(
        "dates_are_readable", "quarantine", "every date is ISO 8601, and the needed ones plausible"
    ),
    Rule(
        "renewal_is_not_before_registration",
        "quarantine",
        "the next renewal is not before the first registration",
    ),
    Rule("creation_year_is_possible", "note", "creation and expiry years can be (else null)"),
    Rule("entity_category_is_present", "note", "the record states an EntityCategory"),
    Rule("headquarters_are_present", "note", "a headquarters country and city are given"),
    Rule("postal_code_is_present", "note", "the headquarters address has a postal code"),
    Rule("region_fits_country", "note", "a region code starts with its country's code"),
    Rule("legal_form_is_a_code", "note", "the legal form is four capitals or digits (ISO 20275)"),
    Rule("authority_is_a_code", "note", "the register is RA and six digits"),
    Rule("managing_lou_is_an_lei", "note", "the managing issuer's LEI has valid check digits"),
    Rule("codes_are_listed", "note", "conformity, corroboration and expiry reason are listed"),
    Rule("name_starts_plainly", "note", "the name does not start like a spreadsheet formula"),
)

GROUP_RULES: tuple[Rule, ...] = (
    Rule("nodes_are_leis", "quarantine", "both ends of the relationship are named by their LEI"),
    Rule("relationship_type_is_known", "quarantine", "RelationshipType is on the RR-CDF list"),
    Rule("relationship_status_is_known", "quarantine", "RelationshipStatus is on the RR-CDF list"),
    Rule(
        "registration_status_is_known",
        "quarantine",
        "RegistrationStatus of the relationship is on the RR-CDF list",
    ),
    Rule(
        "exception_category_is_known",
        "quarantine",
        "the exception's category is on the publisher's list",
    ),
    Rule(
        "exception_reasons_are_known",
        "quarantine",
        "the exception has a reason, and every one is on the publisher's list",
    ),
    Rule("period_is_in_order", "note", "the relationship does not end before it starts"),
    Rule("nodes_differ", "note", "the relationship leads to another LEI than its own"),
)
"""For relationships and exceptions, beside those above on texts, LEIs, keys and dates."""

REGISTER_RULES: tuple[Rule, ...] = (
    Rule("number_is_well_formed", "quarantine", "the number has the shape of its register's"),
    Rule("join_is_unambiguous", "quarantine", "no two companies' LEI records state the number"),
    Rule("number_check_digits_hold", "note", "the number holds to its register's check digits"),
)
"""For national registers' entries, beside those above on texts, keys, names and addresses."""

ROW_RULES = ENTITY_RULES + GROUP_RULES + REGISTER_RULES
"""Every rule on a row; one that does not concern a source's rows holds for all of them."""

DELIVERY_RULES: tuple[Rule, ...] = (
    Rule("record_count_fits", "stop", "the delivery holds as many rows as its publisher listed"),
    Rule("delivery_is_not_empty", "stop", "the delivery holds at least one row"),
    Rule("size_fits_last_full", "stop", "a full file is near our last full one in length"),
    Rule("size_fits_card", "stop", "a full file from the publisher is within the card's bounds"),
    Rule("most_rows_are_sound", "stop", "at most half of the rows fail a quarantine rule"),
)

CODE_RULES: tuple[Rule, ...] = (
    Rule("code_is_well_formed", "quarantine", "a legal form has 4 capitals or digits, an RA 6"),
    Rule("words_are_text", "quarantine", "an entry of a code list is of its list's shape"),
    Rule("code_is_unique", "quarantine", "the code stands once, or each time in the same words"),
)
"""Of sources that bring code lists; the source itself judges them."""

OWN_RULES: tuple[Rule, ...] = tuple(
    Rule(name, "quarantine", meaning)
    for name, meaning in (
        ("event_reference_is_given", "the row has a reference of its own in the owner's system"),
        ("event_reference_names_nobody", "the reference is no address and no personal number"),
        ("event_reference_is_unique", "the reference stands once, or with the same content"),
        ("texts_are_short", "no text is longer than 500 characters"),
        ("event_date_is_given", "the row says when it happened"),
        ("dates_are_in_format", "every day and moment is in the mapping's date format"),
        ("event_is_not_to_come", "what happened is not later than the import"),
        ("truths_are_readable", "a yes or a no is one"),
        ("country_is_known", "the country is on the ISO 3166-1 list, by code or name"),
        ("registration_number_fits", "the number has the form of its register's numbers"),
        ("relationship_ends_after_start", "the relationship does not end before it starts"),
        ("customer_is_named", "the customer has an LEI, a number, a name or a contact"),
        ("contact_is_given", "the row has an address or a phone number that can be read"),
        ("ip_address_is_readable", "the IP address is one"),
        ("act_is_given", "the consent says what the person did"),
        ("text_version_is_given", "the consent says to which wording"),
        (
            "use_is_no_consent",
            "the consent rests on an act, not on use or silence",
        ),
        ("channel_is_known", "the consent is for e-mail or for the phone"),
        ("purpose_is_known", "the consent is for a purpose of the configuration"),
        ("withdrawal_is_after_consent", "the consent was not withdrawn before it was given"),
    )
)
"""Of the owner's own lists (`checks.own_lists`), beside those above on LEIs."""

BY_NAME = {rule.name: rule for rule in ROW_RULES + DELIVERY_RULES + CODE_RULES + OWN_RULES}
QUARANTINE = tuple(rule.name for rule in ROW_RULES if rule.severity == "quarantine")
NOTES = tuple(rule.name for rule in ROW_RULES if rule.severity == "note")
MISSHAPEN = "row_has_every_field"
"""The rule of rows that had too few or too many fields to be read at all."""
