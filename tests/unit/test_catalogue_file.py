"""The catalogue file: building it, reading it, searching it, shipping it, and what the feed lays over it."""

import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import sqlcipher3
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clerk_app.catalogue import build as building
from clerk_app.catalogue.build import build
from clerk_app.catalogue.changes import ItemChange
from clerk_app.catalogue.file import CatalogueFile
from clerk_app.catalogue.shipping import digest, install, pack, verify
from clerk_app.desk.ports import Hit, SearchContext
from clerk_app.domain.catalogue import Audience, Implementation, ItemKind, ItemStatus, ItemType
from clerk_app.failures import Failure

HR_CITY, HR_COUNTY = "11510700008300011A", "11510703008300012B"

CARD = ItemKind(
    "512026001000",
    "社会保障卡申领",
    ItemType.PUBLIC_SERVICE,
    Audience.PERSON,
    name_en="Social security card: first application",
    department="人社",
    aliases=("社保卡", "办社保卡"),
    result="社会保障卡",
)
REPLACEMENT = replace(
    CARD,
    code="512026002000",
    name="社会保障卡补领",
    name_en="Social security card: replacement",
    aliases=("补办社保卡", "社保卡丢了"),
)
UNEMPLOYED = ItemKind(
    "512026003000",
    "失业登记",
    ItemType.PUBLIC_SERVICE,
    Audience.PERSON,
    name_en="Registration of unemployment",
    department="人社",
    aliases=("失业证",),
)
FOOD = ItemKind(
    "510131001001",
    "食品经营许可（新办）",
    ItemType.LICENCE,
    Audience.ORGANISATION,
    name_en="Food business licence (first issue)",
    department="市场监管",
    aliases=("餐馆证", "小餐饮备案"),
)
BANK = ItemKind(
    "511023001000", "银行网点重大变更备案", ItemType.OTHER_POWER, Audience.ORGANISATION, department="金融"
)
LAWYER = ItemKind("510112001000", "律师执业许可", ItemType.LICENCE, Audience.PERSON, department="司法")
FINE = ItemKind(
    "510226001000", "对用人单位拒不登记的处罚", ItemType.PENALTY, Audience.ORGANISATION, department="人社"
)
KINDS = (FINE, BANK, LAWYER, UNEMPLOYED, FOOD, CARD, REPLACEMENT)


def item(kind: ItemKind, body: str, name: str, region: str, level: str, **more: object) -> Implementation:
    digit = {"city": "3", "county": "4"}[level]
    code = f"{body}{digit}{kind.code}"
    return Implementation(code, kind.code, body, name, region, level, **more)  # type: ignore[arg-type]


def items() -> list[Implementation]:
    of_hr = [
        item(kind, body, name, region, level)
        for kind in (CARD, REPLACEMENT, UNEMPLOYED, FINE)
        for body, name, region, level in (
            (HR_CITY, "绵阳市人力资源和社会保障局", "510700", "city"),
            (HR_COUNTY, "涪城区人力资源和社会保障局", "510703", "county"),
        )
    ]
    return [
        *of_hr,
        item(FOOD, "11510703008300020C", "涪城区市场监督管理局", "510703", "county", promised_days=3),
        item(BANK, "11510700008300030D", "绵阳市金融工作局", "510700", "city", valid_to=date(2099, 1, 1)),
        item(LAWYER, "11510700008300040E", "绵阳市司法局", "510700", "city", window_decides=True),
    ]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("catalogue") / "catalogue.sqlite"
    build(path, KINDS, items(), "2026-11-01")
    return path


@pytest.fixture
def path(built, tmp_path) -> Path:
    copy = tmp_path / "catalogue.sqlite"
    copy.write_bytes(built.read_bytes())
    return copy


@pytest.fixture
def catalogue(path):
    with CatalogueFile(path) as file:
        yield file


def names(catalogue: CatalogueFile, text: str, **context: object) -> list[str]:
    return [hit.name for hit in catalogue.search(text, SearchContext(**context))]  # type: ignore[arg-type]


def first(catalogue: CatalogueFile, text: str, **context: object) -> Hit:
    return catalogue.search(text, SearchContext(**context))[0]  # type: ignore[arg-type]


# --- building ------------------------------------------------------------------------------------------


def test_the_same_input_gives_the_same_bytes(tmp_path):
    one = build(tmp_path / "one", KINDS, items(), "1")
    two = build(tmp_path / "two", reversed(KINDS), reversed(items()), "1")
    assert (one.sha256, one.size) == (two.sha256, two.size)
    assert one.sha256 == digest(tmp_path / "one")
    assert (one.items, one.kinds) == (len(items()), len(KINDS))


def test_a_rebuild_replaces_the_file_in_one_step_and_leaves_nothing_behind(path):
    with CatalogueFile(path) as old:
        build(path, KINDS, items()[:4], "2")
        assert old.count == len(items())
        assert names(old, "律师") == ["律师执业许可"]
    with CatalogueFile(path) as new:
        assert (new.version, new.count) == ("2", 4)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("kinds", "more"),
    [((*KINDS, CARD), []), (KINDS, items()[:1]), (KINDS[:-2], [])],
    ids=["kind twice", "item twice", "unknown kind"],
)
def test_contradictory_input_is_refused(tmp_path, kinds, more):
    with pytest.raises(ValueError, match=r"codes used twice|unknown kinds"):
        build(tmp_path / "bad", kinds, [*items(), *more], "1")
    assert not (tmp_path / "bad").exists()


def test_a_window_never_loads_the_dictionaries_of_the_back_office(path):
    script = (
        "import sys; from pathlib import Path; from clerk_app.catalogue.file import CatalogueFile;"
        "from clerk_app.desk.ports import SearchContext;"
        f"CatalogueFile(Path({str(path)!r})).search('shebaok', SearchContext());"
        "sys.exit('pypinyin' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


# --- reading -------------------------------------------------------------------------------------------


def test_items_come_back_as_they_went_in(catalogue):
    kinds = {kind.code: kind for kind in KINDS}
    for each in items():
        read = catalogue.item(each.code)
        assert read.implementation == each
        assert read.kind == kinds[each.kind]


def test_an_unknown_item_is_a_failure_with_a_code(catalogue):
    with pytest.raises(Failure) as failure:
        catalogue.item("no such item")
    assert failure.value.code == "CATALOGUE-NO-ITEM"


def test_a_missing_file_is_said_so(tmp_path):
    with pytest.raises(Failure) as failure:
        CatalogueFile(tmp_path / "none")
    assert failure.value.code == "CATALOGUE-MISSING"


@pytest.mark.parametrize("content", [b"", b"not a database" * 100, b"SQLite format 3\0" + bytes(4000)])
def test_what_is_no_catalogue_is_damaged(tmp_path, content):
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(Failure) as failure:
        CatalogueFile(tmp_path / "bad")
    assert failure.value.code == "CATALOGUE-DAMAGED"


def test_a_catalogue_cut_in_half_is_damaged(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 8])
    with pytest.raises(Failure) as failure, CatalogueFile(path) as file:
        file.item(items()[0].code)
    assert failure.value.code == "CATALOGUE-DAMAGED"


def test_an_incomplete_catalogue_is_damaged(path):
    connection = sqlcipher3.connect(str(path))
    connection.execute("DELETE FROM part WHERE name = 'letters'")
    connection.commit()
    connection.close()
    with pytest.raises(Failure) as failure:
        CatalogueFile(path)
    assert failure.value.code == "CATALOGUE-DAMAGED"


def test_a_catalogue_of_a_newer_office_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "FORMAT", 2)
    build(tmp_path / "newer", KINDS, items(), "9")
    with pytest.raises(Failure) as failure:
        CatalogueFile(tmp_path / "newer")
    assert failure.value.code == "CATALOGUE-NEWER"


# --- searching -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("社会保障卡补领", REPLACEMENT),
        ("社保卡", CARD),
        ("餐", FOOD),
        ("失业", UNEMPLOYED),
        ("社保卡 补领", REPLACEMENT),
        ("补领 社保卡", REPLACEMENT),
        ("人社局 失业", UNEMPLOYED),
        ("涪城 失业", UNEMPLOYED),
        ("市监局 食品", FOOD),
        ("shehuibaozhangkabu", REPLACEMENT),
        ("shebaok", CARD),
        ("sbk bl", REPLACEMENT),
        ("SYDJ", UNEMPLOYED),
        ("社保k", CARD),
        ("补办sbk", REPLACEMENT),
        ("社宝卡", CARD),
        ("补社保卡", REPLACEMENT),
        ("社会保章卡补领", REPLACEMENT),
        ("shiyedengj", UNEMPLOYED),
        ("shyiedengji", UNEMPLOYED),
        ("shiyedngji", UNEMPLOYED),
        ("shiyedengjji", UNEMPLOYED),
        ("shiyedengki", UNEMPLOYED),
        ("syfj", UNEMPLOYED),
        ("food lic", FOOD),
        ("食品经营许可新办", FOOD),
        ("食品经营许可(新办)", FOOD),
        ("shi'ye deng'ji", UNEMPLOYED),
        ("510131", FOOD),
        (items()[0].code, CARD),
        ("yinhangwangdian", BANK),
        ("yinxingwangdian", BANK),
        ("lvshi", LAWYER),
        ("lushi", LAWYER),
        ("ｌｖｓｈｉ", LAWYER),
        ("zzzzzz", None),
    ],
)
def test_what_a_clerk_types_finds_the_item_first(catalogue, typed, expected):
    found = names(catalogue, typed)
    assert found[:1] == ([expected.name] if expected else [])


def test_every_kind_is_one_row_with_its_bodies_inside(catalogue):
    hit = first(catalogue, "社会保障卡申领")
    assert hit.kind_code == CARD.code
    assert [body.region for body in hit.bodies] == ["510700", "510703"]


@pytest.mark.parametrize(
    ("typed", "context", "proposed"),
    [
        ("失业登记", {"region": "510703"}, "510703"),
        ("失业登记", {"region": "510700", "applicant_region": "510703"}, "510700"),
        ("失业登记", {"region": "510704", "applicant_region": "510703"}, "510703"),
        ("失业登记", {"region": "510704"}, "510700"),
        ("失业登记", {}, "510700"),
        ("涪城 失业登记", {"region": "510700"}, "510703"),
        (f"{HR_COUNTY}4{UNEMPLOYED.code}", {"region": "510700"}, "510703"),
    ],
)
def test_the_proposed_body_is_the_nearest_one(catalogue, typed, context, proposed):
    assert first(catalogue, typed, **context).bodies[0].region == proposed


def test_marks_show_what_matched(catalogue):
    def marked(typed: str) -> str:
        hit = first(catalogue, typed)
        return "".join(hit.name[start : start + length] for start, length in hit.marks)

    assert marked("失业") == "失业"
    assert marked("经营 新办") == "经营新办"
    assert marked("许可新办") == "许可新办"
    assert marked("lvshi") == "律师"
    assert marked("社保卡") == "社保卡"
    assert marked("餐馆证") == ""


def test_habit_orders_equals_and_hides_nothing(catalogue):
    assert names(catalogue, "社会保障卡")[0] == CARD.name
    assert names(catalogue, "社会保障卡", frequent={REPLACEMENT.code: 9})[0] == REPLACEMENT.name
    assert names(catalogue, "社会保障卡", recent=(REPLACEMENT.code,))[0] == REPLACEMENT.name
    assert names(catalogue, "失业登记", frequent={REPLACEMENT.code: 500})[0] == UNEMPLOYED.name


def test_of_kinds_with_the_same_alias_the_one_named_so_comes_first(tmp_path):
    new = replace(CARD, name="普通护照首次申请", aliases=("换护照",), result="")
    renewal = replace(REPLACEMENT, name="普通护照换发", aliases=("换护照",), result="")
    build(tmp_path / "two", [new, renewal], items()[:4], "1")
    with CatalogueFile(tmp_path / "two") as two:
        assert names(two, "换护照") == [renewal.name, new.name]


def test_an_item_for_others_stands_behind(catalogue):
    assert names(catalogue, "许可", audience="organisation")[0] == FOOD.name
    assert names(catalogue, "许可", audience="person")[0] == LAWYER.name


def test_without_text_the_windows_own_kinds_come(catalogue):
    assert names(catalogue, "  ") == []
    found = names(
        catalogue, "", recent=(FOOD.code, CARD.code), frequent={LAWYER.code: 3, CARD.code: 9, "gone": 4}
    )
    assert found == [FOOD.name, CARD.name, LAWYER.name]


def test_ex_officio_kinds_are_shown_by_their_code_only_and_not_acceptable(catalogue):
    assert FINE.name not in names(catalogue, "处罚") + names(catalogue, "对用人单位拒不登记的处罚")
    assert FINE.name not in names(catalogue, FINE.code[:-1])
    for code in (FINE.code, f"{HR_CITY}3{FINE.code}"):
        hit = first(catalogue, code)
        assert (hit.name, hit.acceptable) == (FINE.name, False)
    assert first(catalogue, CARD.code).acceptable


def test_when_nothing_has_all_terms_those_with_most_are_shown(catalogue):
    assert names(catalogue, "失业登记 xyzq 人社局")[0] == UNEMPLOYED.name


def test_the_limit_holds(catalogue):
    assert len(catalogue.search("s", SearchContext(), limit=2)) == 2


typed_text = st.text(st.characters(), max_size=80) | st.text("sbkhe 'zh社保卡补\"*-%_()", max_size=40)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed_text)
@example('" OR 1=1 --')
@example("NEAR(社 保)")
@example("'; DROP TABLE item; --")
@example("\x00\ud800\U0002b73a")
@example("社" * 10_000)
@example("s" * 10_000)
@example("a1" * 5_000)
@example("()[]{}^$.*+?|\\")
@example("ffiﬁ ㍿ İ ß Ⅷ ½")
def test_every_input_is_safe(catalogue, text):
    for hit in catalogue.search(text, SearchContext(region="510700")):
        assert hit.bodies
        end = 0
        for start, length in hit.marks:
            assert length > 0
            assert end <= start
            end = start + length
        assert end <= len(hit.name)


# --- changes of the feed -------------------------------------------------------------------------------


def test_a_retired_item_is_gone_from_the_hits_and_marked_in_full(catalogue, path):
    code = f"{HR_CITY}3{UNEMPLOYED.code}"
    assert catalogue.apply([ItemChange(code, ItemStatus.RETIRED, 2, date(2026, 10, 31))]) == 1
    assert [body.region for body in first(catalogue, "失业登记").bodies] == ["510703"]
    read = catalogue.item(code).implementation
    assert (read.status, read.version, read.valid_to) == (ItemStatus.RETIRED, 2, date(2026, 10, 31))
    with CatalogueFile(path) as reopened:
        assert reopened.item(code).implementation == read


def test_a_kind_nobody_has_any_more_is_no_hit(catalogue):
    catalogue.apply([ItemChange(items()[-1].code, ItemStatus.RETIRED, 2)])
    assert names(catalogue, "律师") == []


def test_a_page_applied_twice_or_late_changes_nothing(catalogue):
    code = items()[-1].code
    later = ItemChange(code, ItemStatus.PUBLISHED, 3)
    assert catalogue.apply([later]) == 1
    assert catalogue.apply([later, ItemChange(code, ItemStatus.RETIRED, 2)]) == 0
    assert names(catalogue, "律师") == [LAWYER.name]


def test_a_newer_file_outdates_the_changes_beside_it(path):
    code = items()[-1].code
    with CatalogueFile(path) as old:
        old.apply([ItemChange(code, ItemStatus.RETIRED, 2)])
    renewed = [replace(each, version=2) if each.code == code else each for each in items()]
    build(path, KINDS, renewed, "2")
    with CatalogueFile(path) as new:
        assert names(new, "律师") == [LAWYER.name]


def test_damaged_changes_are_said_so(path):
    path.with_name(path.name + ".changes").write_bytes(b"[{]")
    with pytest.raises(Failure) as failure:
        CatalogueFile(path)
    assert failure.value.code == "CATALOGUE-DAMAGED"


# --- shipping ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("from_file", [True, False])
def test_a_packed_catalogue_arrives_as_it_was(path, tmp_path, from_file):
    packed = pack(path)
    assert packed == pack(path)
    assert len(packed) < path.stat().st_size / 2
    target = tmp_path / "arrived.sqlite"
    target.write_bytes(b"old")
    if from_file:
        (tmp_path / "download").write_bytes(packed)
    install(tmp_path / "download" if from_file else packed, target, digest(path))
    verify(target, digest(path))
    assert target.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda packed: packed[:-20],
        lambda packed: packed[:100] + b"\0\1\2\3" + packed[104:],
        lambda packed: b"",
        lambda packed: b"<html>log in to the hall's network</html>",
    ],
    ids=["cut", "changed", "empty", "portal page"],
)
def test_a_spoilt_package_leaves_the_old_file_in_force(path, tmp_path, spoil):
    target = tmp_path / "in force"
    target.write_bytes(b"old")
    with pytest.raises(Failure) as failure:
        install(spoil(pack(path)), target, digest(path))
    assert failure.value.code == "CATALOGUE-DAMAGED"
    assert target.read_bytes() == b"old"
    assert not target.with_name("in force.new").exists()


def test_another_catalogue_than_announced_is_refused(path, tmp_path):
    with pytest.raises(Failure) as failure:
        install(pack(path), tmp_path / "new", "0" * 64)
    assert failure.value.code == "CATALOGUE-DAMAGED"
    assert not (tmp_path / "new").exists()


def test_a_disk_that_does_not_take_it_is_said_so(path, tmp_path):
    with pytest.raises(Failure) as failure:
        install(pack(path), tmp_path / "no folder" / "new", digest(path))
    assert failure.value.code == "CATALOGUE-NO-SPACE"


def test_one_changed_byte_is_found(path):
    expected = digest(path)
    verify(path, expected)
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    with pytest.raises(Failure) as failure:
        verify(path, expected)
    assert failure.value.code == "CATALOGUE-DAMAGED"
    with pytest.raises(Failure) as failure:
        verify(path.with_name("none"), expected)
    assert failure.value.code == "CATALOGUE-MISSING"
