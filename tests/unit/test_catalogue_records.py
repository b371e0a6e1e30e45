"""Catalogues somebody hands in: good rows come back whole, bad ones are named, nothing raises."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clerk_app import failures
from clerk_app.catalogue import record_rules, record_table, records
from clerk_app.catalogue.record_rules import CODE_PROFILES, RowProblem, is_credit_code
from clerk_app.catalogue.record_table import COLUMNS, WORDS
from clerk_app.catalogue.records import ImportReading, item_line, kind_line, read_csv, read_jsonl
from clerk_app.domain.catalogue import (
    Audience,
    Choice,
    Faq,
    FormField,
    Implementation,
    ItemKind,
    ItemType,
    Material,
    Situation,
)
from clerk_app.failures import Failure

BODY = "11510700000000019J"
KIND_CODE = "512011004000"
ITEM_CODE = f"{BODY}3{KIND_CODE}"

KIND: dict[str, Any] = {
    "record": "kind",
    "code": KIND_CODE,
    "name": "社会保障卡补领",
    "type": "public_service",
    "audience": "person",
    "legal_basis": "示例",
    "conditions": "示例",
    "process": "示例",
    "legal_days": 15,
    "promised_days": 5,
    "fee": "不收费",
    "result": "社会保障卡",
    "visits": 1,
    "visits_reason": "核验身份",
    "materials": [{"key": "id", "name": "居民身份证", "originals": 1, "when": "agent=no"}],
    "situations": [{"key": "agent", "label": "由谁办理", "choices": [{"key": "no", "label": "本人"}]}],
    "faq": [{"question": "收费吗？", "answer": "不收费。"}],
}
ITEM: dict[str, Any] = {
    "record": "item",
    "code": ITEM_CODE,
    "kind": KIND_CODE,
    "body_code": BODY,
    "body_name": "绵阳市示例局",
    "region": "510700",
    "level": "city",
    "advice_phone": "12333",
    "supervision_phone": "12345",
    "address": "示例路1号",
    "hours": "示例",
}

Reader = Callable[[bytes], ImportReading]


@pytest.fixture
def lines(tmp_path: Path) -> Reader:
    def read(data: bytes) -> ImportReading:
        path = tmp_path / "catalogue.jsonl"
        path.write_bytes(data)
        return read_jsonl(path)

    return read


@pytest.fixture
def table(tmp_path: Path) -> Reader:
    def read(data: bytes) -> ImportReading:
        path = tmp_path / "catalogue.csv"
        path.write_bytes(data)
        return read_csv(path)

    return read


def jsonl(*rows: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def said(problems: tuple[RowProblem, ...]) -> list[tuple[int, str, str]]:
    return [(problem.line, problem.field, problem.reason) for problem in problems]


def test_a_clean_pair_comes_back_whole(lines: Reader) -> None:
    reading = lines(jsonl(KIND, ITEM))
    assert reading.problems == reading.warnings == ()
    (kind,) = reading.kinds
    assert kind.type is ItemType.PUBLIC_SERVICE
    assert kind.audience is Audience.PERSON
    assert kind.materials == (Material("id", "居民身份证", originals=1, when="agent=no"),)
    assert kind.situations == (Situation("agent", "由谁办理", (Choice("no", "本人"),)),)
    assert kind.faq == (Faq("收费吗？", "不收费。"),)
    assert reading.items[0].kind == kind.code


def test_written_lines_read_back_equal(lines: Reader) -> None:
    first = lines(jsonl(KIND, ITEM))
    again = lines(kind_line(first.kinds[0]) + item_line(first.items[0]))
    assert again == first


def test_an_item_may_stand_before_its_kind(lines: Reader) -> None:
    assert len(lines(jsonl(ITEM, KIND)).items) == 1


def test_a_file_of_changes_may_lean_on_kinds_already_known(tmp_path: Path, lines: Reader) -> None:
    known = lines(jsonl(KIND)).kinds
    path = tmp_path / "changes.jsonl"
    path.write_bytes(jsonl(ITEM))
    assert read_jsonl(path, known=known).items[0].code == ITEM_CODE
    assert said(read_jsonl(path).problems) == [(1, "kind", "IMPORT-UNKNOWN-KIND")]


BAD_KINDS: list[tuple[dict[str, Any], str, str]] = [
    ({"name": ""}, "name", "IMPORT-MISSING"),
    ({"name": " "}, "name", "IMPORT-MISSING"),
    ({"name": None}, "name", "IMPORT-WRONG-TYPE"),
    ({"code": 512011004000}, "code", "IMPORT-WRONG-TYPE"),
    ({"type": "行政许可"}, "type", "IMPORT-UNKNOWN-WORD"),
    ({"audience": "everybody"}, "audience", "IMPORT-UNKNOWN-WORD"),
    ({"offline": 3}, "offline", "IMPORT-WRONG-TYPE"),
    ({"day_unit": "moon"}, "day_unit", "IMPORT-UNKNOWN-WORD"),
    ({"promised_days": 16}, "promised_days", "IMPORT-PROMISE-OVER-LEGAL"),
    ({"promised_days": -1}, "promised_days", "IMPORT-OUT-OF-RANGE"),
    ({"legal_days": 99999}, "legal_days", "IMPORT-OUT-OF-RANGE"),
    ({"legal_days": "15"}, "legal_days", "IMPORT-WRONG-TYPE"),
    ({"visits": -1}, "visits", "IMPORT-OUT-OF-RANGE"),
    ({"handling": "on_the_spot"}, "handling", "IMPORT-SPOT-WITH-DAYS"),
    ({"handling": "promise", "promised_days": 0}, "handling", "IMPORT-SPOT-WITH-DAYS"),
    ({"handling": "later"}, "handling", "IMPORT-UNKNOWN-WORD"),
    ({"handling": 1}, "handling", "IMPORT-WRONG-TYPE"),
    ({"materials": [{"key": "a", "name": ""}]}, "materials", "IMPORT-MISSING"),
    ({"materials": [{"key": "a"}]}, "materials", "IMPORT-WRONG-TYPE"),
    ({"materials": [{"key": "a", "name": "b", "copies": 5000}]}, "materials", "IMPORT-OUT-OF-RANGE"),
    ({"materials": [{"key": "a", "name": "b"}] * 2}, "materials", "IMPORT-DUPLICATE"),
    ({"materials": [{"key": "a", "name": "b", "when": "agent=yes"}]}, "materials", "IMPORT-HIDDEN-MATERIAL"),
    ({"materials": [{"key": "a", "name": "b", "when": "moon"}]}, "materials", "IMPORT-HIDDEN-MATERIAL"),
    ({"materials": [{"key": "a", "name": "b", "when": "&agent=no"}]}, "materials", "IMPORT-HIDDEN-MATERIAL"),
]


@pytest.mark.parametrize(("change", "field", "reason"), BAD_KINDS)
def test_a_bad_kind_is_left_out_and_named(
    lines: Reader, change: dict[str, Any], field: str, reason: str
) -> None:
    reading = lines(jsonl(ITEM, {**KIND, **change}))
    assert (2, field, reason) in said(reading.problems)
    assert reading.kinds == ()
    assert (1, "kind", "IMPORT-UNKNOWN-KIND") in said(reading.problems)


BAD_ITEMS: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "000000000000"}, "kind", "IMPORT-UNKNOWN-KIND"),
    ({"body_name": ""}, "body_name", "IMPORT-MISSING"),
    ({"region": ""}, "region", "IMPORT-MISSING"),
    ({"level": "province"}, "level", "IMPORT-UNKNOWN-WORD"),
    ({"status": "gone"}, "status", "IMPORT-UNKNOWN-WORD"),
    ({"version": 0}, "version", "IMPORT-OUT-OF-RANGE"),
    ({"version": 2**70}, "version", "IMPORT-OUT-OF-RANGE"),
    ({"valid_from": "2026-02-30"}, "valid_from", "IMPORT-BAD-DATE"),
    ({"valid_to": 20260101}, "valid_to", "IMPORT-WRONG-TYPE"),
    ({"valid_from": "2026-02-02", "valid_to": "2026-02-01"}, "valid_to", "IMPORT-DATES-REVERSED"),
    ({"promised_days": 16}, "promised_days", "IMPORT-PROMISE-OVER-LEGAL"),
    ({"promised_days": -3}, "promised_days", "IMPORT-OUT-OF-RANGE"),
    ({"handling": "on_the_spot"}, "handling", "IMPORT-SPOT-WITH-DAYS"),
    ({"window_decides": "yes"}, "window_decides", "IMPORT-WRONG-TYPE"),
]


@pytest.mark.parametrize(("change", "field", "reason"), BAD_ITEMS)
def test_a_bad_item_is_left_out_and_named(
    lines: Reader, change: dict[str, Any], field: str, reason: str
) -> None:
    reading = lines(jsonl(KIND, {**ITEM, **change}))
    assert said(reading.problems) == [(2, field, reason)]
    assert reading.items == ()
    assert len(reading.kinds) == 1


@pytest.mark.parametrize("field", ["code", "kind", "body_code", "body_name", "region", "level"])
def test_a_missing_field_is_named(lines: Reader, field: str) -> None:
    item = {key: value for key, value in ITEM.items() if key != field}
    assert said(lines(jsonl(KIND, item)).problems) == [(2, field, "IMPORT-MISSING")]


def test_all_that_is_wrong_with_a_row_is_said_at_once(lines: Reader) -> None:
    reading = lines(jsonl({"record": "item", "code": 3, "level": 4, "valid_from": "soon"}))
    assert set(said(reading.problems)) == {
        (1, "code", "IMPORT-WRONG-TYPE"),
        (1, "level", "IMPORT-WRONG-TYPE"),
        (1, "valid_from", "IMPORT-BAD-DATE"),
        (1, "kind", "IMPORT-MISSING"),
        (1, "body_code", "IMPORT-MISSING"),
        (1, "body_name", "IMPORT-MISSING"),
        (1, "region", "IMPORT-MISSING"),
    }


def test_the_first_of_two_equal_codes_stays(lines: Reader) -> None:
    reading = lines(jsonl(KIND, ITEM, {**KIND, "name": "另一个"}, {**ITEM, "hours": "另一个"}))
    assert said(reading.problems) == [(3, "code", "IMPORT-DUPLICATE"), (4, "code", "IMPORT-DUPLICATE")]
    assert reading.kinds[0].name == "社会保障卡补领"
    assert reading.items[0].hours == "示例"


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        (b"{", "", "IMPORT-NOT-JSON"),
        (b"\xff\xfe", "", "IMPORT-NOT-JSON"),
        (b'{"record": "kind", "name": "\xd6\xd0"}', "", "IMPORT-NOT-JSON"),
        (b'"\\ud800"', "", "IMPORT-NOT-JSON"),
        (b"[" * 200_000, "", "IMPORT-NOT-JSON"),
        (b"NaN", "", "IMPORT-NOT-JSON"),
        (b"[]", "record", "IMPORT-NOT-A-RECORD"),
        (b"null", "record", "IMPORT-NOT-A-RECORD"),
        (b"{}", "record", "IMPORT-NOT-A-RECORD"),
        (b'{"record": ["kind"]}', "record", "IMPORT-NOT-A-RECORD"),
        (b'{"record": "case"}', "record", "IMPORT-NOT-A-RECORD"),
        (b"x" * (records.MAX_ROW_BYTES * 2 + 5), "", "IMPORT-ROW-TOO-LONG"),
    ],
)
def test_a_line_that_is_no_record_does_not_stop_the_file(
    lines: Reader, line: bytes, field: str, reason: str
) -> None:
    reading = lines(b"\xef\xbb\xbf" + jsonl(KIND) + line + b"\n\n" + jsonl(ITEM))
    assert said(reading.problems) == [(2, field, reason)]
    assert len(reading.items) == 1


def test_dirty_codes_are_warnings(lines: Reader) -> None:
    reading = lines(
        jsonl(KIND, {**ITEM, "code": "x", "body_code": "2222222222222", "region": "绵阳", "colour": "red"})
    )
    assert reading.problems == ()
    assert len(reading.items) == 1
    assert set(said(reading.warnings)) == {
        (2, "colour", "IMPORT-UNKNOWN-FIELD"),
        (2, "body_code", "IMPORT-BODY-CODE"),
        (2, "region", "IMPORT-REGION"),
        (2, "code", "IMPORT-CODE-SHAPE"),
    }


def test_an_item_code_names_its_body_and_its_kind(lines: Reader) -> None:
    reading = lines(jsonl(KIND, {**ITEM, "code": BODY + "3" + "512011004001"}))
    assert said(reading.warnings) == [(2, "code", "IMPORT-CODE-PARTS")]


def test_provincial_codes_have_a_profile_of_their_own(tmp_path: Path) -> None:
    kind, item = "511A0138000000", f"511A0138000000-510700000000-000-{BODY}-1-00"
    path = tmp_path / "provincial.jsonl"
    path.write_bytes(jsonl({**KIND, "code": kind}, {**ITEM, "code": item, "kind": kind}))
    assert read_jsonl(path, profile="sichuan").warnings == ()
    assert {warning.reason for warning in read_jsonl(path).warnings} == {"IMPORT-CODE-SHAPE"}
    assert set(CODE_PROFILES) == {"national", "sichuan"}


def test_the_gaps_of_a_guide_are_listed(lines: Reader) -> None:
    bare = {key: KIND[key] for key in ("record", "code", "name", "type", "audience")}
    item = {key: value for key, value in ITEM.items() if key not in ("supervision_phone", "hours")}
    reading = lines(jsonl(bare, item))
    assert reading.problems == ()
    assert set(said(reading.warnings)) == {
        (1, "legal_basis", "IMPORT-GUIDE-GAP"),
        (1, "conditions", "IMPORT-GUIDE-GAP"),
        (1, "process", "IMPORT-GUIDE-GAP"),
        (1, "fee", "IMPORT-GUIDE-GAP"),
        (1, "result", "IMPORT-GUIDE-GAP"),
        (1, "materials", "IMPORT-GUIDE-GAP"),
        (1, "faq", "IMPORT-GUIDE-GAP"),
        (1, "visits_reason", "IMPORT-VISITS-REASON"),
        (2, "supervision_phone", "IMPORT-GUIDE-GAP"),
        (2, "hours", "IMPORT-GUIDE-GAP"),
    }
    assert lines(jsonl({**bare, "type": "penalty"})).warnings == ()


def test_a_form_field_filled_from_nowhere_is_a_warning(lines: Reader) -> None:
    reading = lines(jsonl({**KIND, "fields": [{"key": "a", "label": "b", "fill": "shoe_size"}]}))
    assert said(reading.warnings) == [(1, "fields", "IMPORT-UNKNOWN-WORD")]


def test_a_problem_reads_as_one_line() -> None:
    assert str(RowProblem(3, "name", "IMPORT-MISSING")) == "line 3, name: IMPORT-MISSING"
    assert str(RowProblem(3, "", "IMPORT-COLUMNS", "4 instead of 5")) == (
        "line 3: IMPORT-COLUMNS (4 instead of 5)"
    )


def test_a_file_that_cannot_be_opened_is_a_failure(tmp_path: Path) -> None:
    for read in (read_jsonl, read_csv):
        with pytest.raises(Failure) as raised:
            read(tmp_path / "nowhere")
        assert raised.value.code == "IMPORT-UNREADABLE"


def test_credit_codes_are_judged_by_their_check_character() -> None:
    assert is_credit_code(BODY)
    assert not is_credit_code(BODY[:-1] + "K")
    assert not is_credit_code("2222222222222")
    assert not is_credit_code("115107000000000１9J")


# --- tables -------------------------------------------------------------------------------------------

HEADER = (
    "实施编码,基本编码,事项名称,事项类型,服务对象,法定办结时限,承诺办结时限,办件类型,"
    "实施主体编码,实施主体,行政区划,行使层级,授权到位,别名"
)
ROW = (
    f"{ITEM_CODE},{KIND_CODE},社会保障卡补领,公共服务,自然人,15,0,即办件,"
    f"{BODY},绵阳市示例局,510700,市级,是,补社保卡；社保卡补办"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_chinese_table_in_any_usual_encoding(table: Reader, encoding: str) -> None:
    reading = table(f"{HEADER}\r\n{ROW}\r\n\r\n".encode(encoding))
    assert reading.problems == ()
    (kind,), (item,) = reading.kinds, reading.items
    assert (kind.name, kind.legal_days, kind.promised_days) == ("社会保障卡补领", 15, 0)
    assert kind.aliases == ("补社保卡", "社保卡补办")
    assert item == Implementation(
        ITEM_CODE, KIND_CODE, BODY, "绵阳市示例局", "510700", "city", promised_days=0, window_decides=True
    )


def test_english_headers_in_any_order(table: Reader) -> None:
    header = "level,region,body_name,body_code,kind_code,item_code,name,type,audience,valid_from"
    row = f"county,510703,x,{BODY},{KIND_CODE},{ITEM_CODE},y,licence,both,2026-01-01"
    reading = table(f"{header}\n{row}\n".encode())
    assert reading.problems == ()
    assert reading.kinds[0].type is ItemType.LICENCE
    assert reading.items[0].valid_from is not None


def test_a_second_row_of_a_kind_may_not_describe_it_otherwise(table: Reader) -> None:
    other = ROW.replace(ITEM_CODE, BODY + "3" + KIND_CODE[:-1] + "1").replace("社会保障卡补领", "社保卡补领")
    reading = table(f"{HEADER}\n{ROW}\n{other}\n".encode())
    assert reading.problems == ()
    assert (3, "name", "IMPORT-KIND-DIFFERS") in said(reading.warnings)
    assert [kind.name for kind in reading.kinds] == ["社会保障卡补领"]
    assert len(reading.items) == 2


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        (ROW + ",x", "", "IMPORT-COLUMNS"),
        (ROW.replace("公共服务", "公共"), "type", "IMPORT-UNKNOWN-WORD"),
        (ROW.replace(",15,0,", ",15,3,"), "handling", "IMPORT-SPOT-WITH-DAYS"),
        (ROW.replace(",15,0,即办件", ",15,16,承诺件"), "promised_days", "IMPORT-PROMISE-OVER-LEGAL"),
        (ROW.replace(",15,0,", ",两周,0,"), "legal_days", "IMPORT-WRONG-TYPE"),
        (ROW.replace("市级", "省级"), "level", "IMPORT-UNKNOWN-WORD"),
        (ROW.replace("绵阳市示例局", ""), "body_name", "IMPORT-MISSING"),
        (ROW.replace(",是,", ",也许,"), "window_decides", "IMPORT-WRONG-TYPE"),
    ],
)
def test_a_bad_row_of_a_table_is_named(table: Reader, row: str, field: str, reason: str) -> None:
    reading = table(f"{HEADER}\n{row}\n".encode())
    assert (2, field, reason) in said(reading.problems)
    assert reading.items == ()


@pytest.mark.parametrize(
    ("data", "field", "reason"),
    [
        (b"\x80\xff\xff", "", "IMPORT-NOT-TEXT"),
        ("实施编码,基本编码\n".encode(), "body_code", "IMPORT-MISSING"),
        (f"{HEADER},别名\n{ROW}\n".encode(), "aliases", "IMPORT-DUPLICATE"),
        (f'{HEADER}\n"{"x" * 200_000}"\n'.encode(), "", "IMPORT-COLUMNS"),
    ],
)
def test_a_table_nobody_can_read_says_why(table: Reader, data: bytes, field: str, reason: str) -> None:
    reading = table(data)
    assert (field, reason) in {(problem.field, problem.reason) for problem in reading.problems}
    assert reading.items == ()


def test_every_chinese_word_of_a_table_has_a_meaning() -> None:
    assert set(WORDS["type"].values()) == {type_.value for type_ in ItemType}
    assert set(WORDS) <= set(COLUMNS)
    assert len({header for header, _, _ in COLUMNS.values()}) == len(COLUMNS)


# --- any content --------------------------------------------------------------------------------------

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(base=st.sampled_from([KIND, ITEM]), field=st.sampled_from(sorted({*KIND, *ITEM})), value=_json)
def test_no_value_of_any_field_raises(lines: Reader, base: dict[str, Any], field: str, value: object) -> None:
    lines(jsonl(KIND, {**base, field: value}))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(data=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_no_content_raises(lines: Reader, table: Reader, data: bytes) -> None:
    lines(data)
    table(data)
    table(HEADER.encode() + b"\n" + data)


def test_every_reason_has_its_sentences() -> None:
    modules = (records, record_rules, record_table)
    source = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules)
    known = {code for code in failures.codes() if code.startswith("IMPORT-")}
    assert set(re.findall(r'"(IMPORT-[A-Z-]+)"', source)) == known
    for code in known:
        assert failures.text(code, "zh").action
        assert failures.text(code, "en").action


def test_the_schema_knows_the_fields_the_reader_knows() -> None:
    file = resources.files("resources") / "schemas" / "catalogue.schema.json"
    schema = json.loads(file.read_text(encoding="utf-8"))["$defs"]
    shapes = {"kind": ItemKind, "item": Implementation, "material": Material, "field": FormField}
    for name, shape in shapes.items():
        own = {"record", "handling"} if name in ("kind", "item") else set()
        assert set(schema[name]["properties"]) == {each.name for each in fields(shape)} | own
