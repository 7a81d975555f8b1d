"""CVR's files given by hand: a zip of them, or the landed list with its files."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cvr_served import BUILT, FIRMS, NOON, Served, served, told

from sources import cvr as source
from sources.cvr_names import BY_NAME, NEEDED
from sources.kit.errors import DeliveryRefused, Refused
from sources.kit.landing import Landing


@pytest.fixture
def cvr(tmp_path) -> Iterator[Served]:
    with served(tmp_path) as found:
        yield found


def files_of(cvr: Served, form: str = "csv") -> dict[str, bytes]:
    """The files' members by the name they have in the downloads."""
    found = {}
    for file in cvr.register._files:
        if file.entry["containedFileFormat"] == form and file.entry["entityName"] in BY_NAME:
            with zipfile.ZipFile(io.BytesIO(file.body)) as archive:
                (name,) = archive.namelist()
                found[name] = archive.read(name)
    return found


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return path


def adopted(cvr: Served, path: Path, **given):
    return source.adopt(path, cvr.landing, NOON, **given)


def landed_files(cvr: Served) -> list[Path]:
    """Bytes that stay in the landing, where no delivery of the ledger would name them."""
    return [path for path in cvr.landing.root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_zip_of_the_files_says_what_the_downloads_say(
    cvr: Served, tmp_path: Path, form: str
) -> None:
    landed = adopted(cvr, zipped(tmp_path / "cvr.zip", files_of(cvr, form)))
    assert (landed.kind, landed.published_at, landed.url) == ("full", None, "file:cvr.zip")
    assert (landed.member, landed.is_publisher_host) == ("cvr.zip", False)
    assert len(landed.parts) == 1  # one file, of which the list names the members
    assert landed.byte_count == landed.parts[0].stat().st_size
    assert landed.position is None
    by_hand, fetched = told(landed.path), told(cvr.fetch().path)
    assert by_hand.companies == fetched.companies
    assert by_hand.contacts == fetched.contacts
    assert by_hand.flags == fetched.flags


def test_what_is_stated_goes_before_what_names_say(cvr: Served, tmp_path: Path) -> None:
    path = zipped(tmp_path / "cvr.zip", files_of(cvr))
    landed = adopted(cvr, path, kind="delta", published_at=BUILT)
    assert (landed.kind, landed.published_at) == ("delta", BUILT)


def test_plain_names_do_not_say_that_it_is_all(cvr: Served, tmp_path: Path) -> None:
    plain = {f"cvr/{name.split('_')[2]}.csv": body for name, body in files_of(cvr).items()}
    landed = adopted(cvr, zipped(tmp_path / "x.zip", plain))
    assert landed.kind == "file"
    assert len(told(landed.path).companies) == len(FIRMS)


def test_mixed_generations_are_no_full_delivery(cvr: Served, tmp_path: Path) -> None:
    files = files_of(cvr)
    name = next(name for name in files if "_Navn_" in name)
    files[name.replace("525", "524")] = files.pop(name)
    assert adopted(cvr, zipped(tmp_path / "x.zip", files)).kind == "file"


@pytest.mark.parametrize("entity", NEEDED)
def test_a_missing_file_is_named(cvr: Served, tmp_path: Path, entity: str) -> None:
    files = {name: body for name, body in files_of(cvr).items() if f"_{entity}_" not in name}
    with pytest.raises(DeliveryRefused, match=f"files are missing: {entity}"):
        adopted(cvr, zipped(tmp_path / "x.zip", files))
    assert landed_files(cvr) == []


def test_without_the_protection_file_nobody_is_unprotected(cvr: Served, tmp_path: Path) -> None:
    files = {name: body for name, body in files_of(cvr).items() if "Reklame" not in name}
    landed = adopted(cvr, zipped(tmp_path / "x.zip", files))
    assert set(told(landed.path).flags.values()) == {None}


@pytest.mark.parametrize("name", ["../Navn.csv", "/Navn.csv", "C:/Navn.csv", "a\\Navn.csv"])
def test_a_zip_with_unsafe_names_is_refused(cvr: Served, tmp_path: Path, name: str) -> None:
    with pytest.raises(DeliveryRefused):
        adopted(cvr, zipped(tmp_path / "x.zip", files_of(cvr) | {name: b"x"}))


def test_a_zip_of_zips_is_refused(cvr: Served, tmp_path: Path) -> None:
    bodies = {file.entry["fileName"]: file.body for file in cvr.register._files[:5]}
    with pytest.raises(DeliveryRefused, match="files are missing: Adressering, Navn"):
        adopted(cvr, zipped(tmp_path / "x.zip", bodies))
    disguised = {name: b"PK\x03\x04" + body for name, body in files_of(cvr).items()}
    landed = adopted(cvr, zipped(tmp_path / "y.zip", disguised))
    with pytest.raises(DeliveryRefused, match="archive inside an archive"):
        told(landed.path)


def test_what_is_no_zip_is_refused(cvr: Served, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"no zip")
    with pytest.raises(DeliveryRefused):
        adopted(cvr, path)
    assert landed_files(cvr) == []
    with pytest.raises(Refused, match="there is no such file"):
        adopted(cvr, tmp_path / "nowhere.zip")


@pytest.mark.parametrize("is_beside", [True, False])
def test_a_landed_list_is_taken_with_its_files(
    cvr: Served, tmp_path: Path, is_beside: bool
) -> None:
    landed = cvr.fetch()
    folder = tmp_path / "elsewhere" / "ab"
    folder.mkdir(parents=True)
    path = Path(shutil.copy(landed.path, folder / "cvr.json"))
    for part in landed.parts:
        place = folder if is_beside else folder.parent / part.parent.name
        place.mkdir(exist_ok=True)
        shutil.copy(part, place / part.name)
    other = Landing(tmp_path / "other")
    again = source.adopt(path, other, NOON)
    assert again.sha256 == landed.sha256
    assert again.kind == "full"
    assert told(again.path).companies == told(landed.path).companies


def test_a_list_whose_files_are_others_is_refused(cvr: Served, tmp_path: Path) -> None:
    landed = cvr.fetch()
    path = Path(shutil.copy(landed.path, tmp_path / "cvr.json"))
    with pytest.raises(Refused, match="it names for Adressering is not beside it"):
        adopted(cvr, path)
    for part in landed.parts:
        (tmp_path / part.name).write_bytes(b"other")
    with pytest.raises(Refused, match="or is another one"):
        adopted(cvr, path)
