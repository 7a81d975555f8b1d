"""Enhetsregisteret's fields: each kept, or ignored with a reason; read by name, never by place.

Source: Brønnøysundregistrene, Åpne data, Enhetsregisteret API (entities, bulk JSON and CSV).
"""

from __future__ import annotations

from sources.kit.json_shape import TEXT, Shape

KEY = "organisasjonsnummer"

_ADDRESS: Shape = {"adresse": [TEXT], "postnummer": TEXT, "poststed": TEXT, "landkode": TEXT}
SHAPE: Shape = {
    KEY: TEXT,
    "navn": TEXT,
    "organisasjonsform": {"kode": TEXT},
    "stiftelsesdato": TEXT,
    "registreringsdatoEnhetsregisteret": TEXT,
    "slettedato": TEXT,
    "registrertIForetaksregisteret": TEXT,
    "underlagtLovgivningLandKode": TEXT,
    "forretningsadresse": _ADDRESS,
    "postadresse": _ADDRESS,
    "epostadresse": TEXT,
    "telefon": TEXT,
    "mobil": TEXT,
    "hjemmeside": TEXT,
    "antallAnsatte": TEXT,
}
CSV_NAMES = {
    "registreringsdatoEnhetsregisteret": "registreringsdatoenhetsregisteret",
    "registrertIForetaksregisteret": "registrertIForetaksregisteret",
}
"""Fields that the CSV writes otherwise than the JSON."""
CSV_LACKS = ("slettedato",)
SIZE = "antallAnsatte"
"""How many employees: decides which companies without an LEI are taken, and is not kept. A file
without it is read all the same."""

_NOT_NECESSARY = "not necessary for offering an LEI renewal (GDPR Art. 5(1)(c))"
IGNORED: tuple[tuple[str, str], ...] = (
    (r"_links\..+|.+\._links\..+|respons_klasse", "addresses of the API itself"),
    (
        r"varslingsadresser\b.*",
        "given to authorities for their notices only (eForvaltningsforskriften § 8a)",
    ),
    (
        (
            r"organisasjonsform\.(beskrivelse|utgaatt)|(forretnings|post)adresse\.(land|kommune|"
            r"kommunenummer)"
        ),
        "words and codes for what is kept as another code",
    ),
    (r"historiskeNavn\b.*", "former names; nothing is joined by name"),
    (
        (
            r"(naeringskode\d|hjelpeenhetskode|institusjonellSektorkode)\..+|aktivitet\[\]|"
            r"vedtektsfestetFormaal\[\]|vedtektsdato|maalform|kapital\..+|paategninger\b.*"
        ),
        _NOT_NECESSARY,
    ),
    (r"harRegistrertAntallAnsatte|erIKonsern|overordnetEnhet", _NOT_NECESSARY),
    (r"registrertI.+|registreringsdato.+|sisteInnsendteAarsregnskap", _NOT_NECESSARY),
    (r"frivilligMvaRegistrertBeskrivelser\b.*|fravalgRevisjon.+", _NOT_NECESSARY),
    (
        (
            r"konkurs(dato)?|under(Avvikling|Tvangsavvikling|Utenlandsk|Rekonstruksjon).*|"
            r"tvangs(opplost|avviklet).+"
        ),
        "insolvency: the entity exists until its slettedato, and there is no field for more",
    ),
    (
        (
            r"registreringsnummerIHjemlandet|utenlandskRegister.+|underlagtLovgivningLand|"
            r"foretaksformIHjemlandet\..+"
        ),
        "the foreign company behind a branch is another record",
    ),
)
"""(pattern of the whole path, why it is dropped before anything is stored)."""
IGNORED_PATTERN = "|".join(f"(?:{pattern})" for pattern, _ in IGNORED)
