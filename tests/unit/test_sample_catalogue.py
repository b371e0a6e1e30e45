"""The sample catalogue: the published totals, one of everything, and guides a clerk could work with."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from importlib import resources
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from clerk_app.catalogue.records import item_line, kind_line, read_jsonl
from clerk_app.domain.applicant import DocumentKind
from clerk_app.domain.catalogue import (
    ON_APPLICATION,
    Implementation,
    ItemKind,
    ItemType,
    OfflineRule,
    ServiceItem,
    materials_for,
)
from clerk_app.domain.identity import problem
from practice import sample_catalogue
from practice.sample_bodies import administration, organisation_check, sample_credit_code
from practice.sample_catalogue import class_of

FAMOUS = (
    "社会保障卡补领",
    "失业登记",
    "居民身份证补领",
    "出生登记",
    "普通护照首次申请",
    "机动车驾驶证期满换证",
    "结婚登记",
    "最低生活保障认定",
    "城乡居民基本医疗保险参保登记",
    "异地就医备案",
    "住房公积金个人住房贷款申请",
    "不动产转移登记",
    "个体工商户设立登记",
    "企业设立登记",
    "食品经营许可新办",
    "公共场所卫生许可新办",
    "小学教师资格认定",
    "残疾人证新办",
    "建筑工程施工许可证核发",
    "企业投资项目备案",
    "烟草专卖零售许可证新办",
)


@pytest.fixture(scope="module")
def kinds() -> dict[str, ItemKind]:
    return {kind.code: kind for kind in sample_catalogue.kinds()}


@pytest.fixture(scope="module")
def items() -> tuple[Implementation, ...]:
    return tuple(sample_catalogue.implementations())


def test_the_published_totals_hold(kinds: dict[str, ItemKind], items: tuple[Implementation, ...]) -> None:
    assert len(items) == 66_774
    assert Counter(class_of(kinds[item.kind].type) for item in items) == {
        "licence": 6_790,
        "power": 54_305,
        "service": 5_679,
    }
    parks = Counter(class_of(kinds[item.kind].type) for item in items if item.level == "park")
    assert parks == {"licence": 486, "power": 440, "service": 842}
    districts = [item for item in items if item.level in ("county", "town")]
    assert len(districts) == 9 * 6_677


def test_every_body_has_items_and_every_code_is_its_own(items: tuple[Implementation, ...]) -> None:
    office = administration()
    assert len(office.departments) == len(office.city) == 54
    assert Counter(region.level for region in office.regions) == {"county": 9, "park": 4}
    assert {item.body_code for item in items} == {body.code for body in office.bodies()}
    assert len({item.code for item in items}) == len(items)
    assert {len(item.code) for item in items} == {31}
    assert all(item.code == item.body_code + item.code[18] + item.kind for item in items)


def test_credit_codes_are_made_up_and_right() -> None:
    codes = [body.code for body in administration().bodies()]
    assert len(set(codes)) == len(codes)
    assert not [code for code in codes if problem(code, DocumentKind.USCC)]
    assert organisation_check("00000001") == "9"
    assert organisation_check("D2143569") == "X"  # the example of GB 11714
    assert organisation_check("00000000") == "0"
    assert sample_credit_code("510700", 1)[8:17] == "000000019"


def test_a_second_run_draws_the_same(items: tuple[Implementation, ...]) -> None:
    assert tuple(sample_catalogue.implementations()) == items


def test_every_kind_is_implemented_somewhere_or_drawn_out(
    kinds: dict[str, ItemKind], items: tuple[Implementation, ...]
) -> None:
    idle = set(kinds) - {item.kind for item in items}
    assert len(idle) < len(kinds) / 50
    assert 4_000 <= len(kinds) <= 6_000
    assert {kind.type for kind in kinds.values()} == set(ItemType)


@pytest.mark.parametrize("name", FAMOUS)
def test_what_everybody_asks_for_is_in_every_county(
    name: str, kinds: dict[str, ItemKind], items: tuple[Implementation, ...]
) -> None:
    (kind,) = [kind for kind in kinds.values() if kind.name == name]
    counties = {item.region for item in items if item.kind == kind.code and item.level == "county"}
    assert len(counties) == 9
    assert kind.aliases
    assert kind.name_en
    assert any(field.fill for field in kind.fields)
    today = date(2026, 11, 23)
    assert all(ServiceItem(kind, item).acceptable_on(today) for item in items if item.kind == kind.code)


def test_no_guide_is_empty(kinds: dict[str, ItemKind]) -> None:
    for kind in kinds.values():
        assert kind.conditions, kind.name
        assert kind.materials, kind.name
        assert kind.result, kind.name
        assert kind.fee, kind.name
        assert len(kind.faq) >= 2, kind.name
        assert kind.legal_days > 0, kind.name
        assert kind.promised_days <= kind.legal_days, kind.name
        assert "示例" in kind.process, kind.name
        assert "{" not in repr(kind), kind.name


def test_only_ex_officio_kinds_are_closed_to_the_window(kinds: dict[str, ItemKind]) -> None:
    for kind in kinds.values():
        if kind.type in ON_APPLICATION:
            assert kind.offline is not OfflineRule.NOTHING, kind.name
            assert kind.name_en, kind.name
            assert kind.visits_reason, kind.name
        else:
            assert kind.offline is OfflineRule.NOTHING, kind.name
            assert not kind.fields, kind.name


def test_situations_choose_materials(kinds: dict[str, ItemKind]) -> None:
    (replacement,) = [kind for kind in kinds.values() if kind.name == "社会保障卡补领"]
    lost = {material.key for material in materials_for(replacement, {"agent": "no", "cause": "lost"})}
    damaged = {material.key for material in materials_for(replacement, {"agent": "yes", "cause": "damaged"})}
    assert "agent_letter" not in lost
    assert {"agent_letter", "agent_id", "old_card"} <= damaged


def test_some_items_are_retired_ended_or_not_yet_in_force(
    kinds: dict[str, ItemKind], items: tuple[Implementation, ...]
) -> None:
    today = date(2026, 11, 23)
    closed = [
        item
        for item in items
        if kinds[item.kind].type in ON_APPLICATION
        and not ServiceItem(kinds[item.kind], item).acceptable_on(today)
    ]
    assert 5 <= len(closed) <= 100


def test_everything_is_marked_as_a_sample(items: tuple[Implementation, ...]) -> None:
    public_hotlines = {"12333", "12393", "12366", "12329", "12315"}
    assert {item.advice_phone for item in items} == {"0816-0000000"} | public_hotlines
    assert {item.supervision_phone for item in items} == {"12345", ""}
    assert all("示例" in item.address and "示例" in item.hours for item in items)


def test_the_file_reads_back_as_it_was(
    tmp_path: Path, kinds: dict[str, ItemKind], items: tuple[Implementation, ...]
) -> None:
    path = tmp_path / "sample.jsonl"
    assert sample_catalogue.main([str(path)]) == 0
    reading = read_jsonl(path)
    assert reading.problems == ()
    assert reading.kinds == tuple(kinds.values())
    assert reading.items == items
    assert {warning.reason for warning in reading.warnings} == {"IMPORT-GUIDE-GAP"}
    assert {warning.field for warning in reading.warnings} == {"supervision_phone"}


def test_no_path_is_a_usage_error() -> None:
    assert sample_catalogue.main([]) == 2


def test_kinds_and_items_pass_the_schema(
    kinds: dict[str, ItemKind], items: tuple[Implementation, ...]
) -> None:
    file = resources.files("resources") / "schemas" / "catalogue.schema.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    by_type = {kind.type: kind for kind in kinds.values()}
    filed = [kind for kind in kinds.values() if kind.type in ON_APPLICATION]
    for kind in [*by_type.values(), *filed[::10]]:
        validator.validate(json.loads(kind_line(kind)))
    for item in items[::500]:
        validator.validate(json.loads(item_line(item)))
    assert not validator.is_valid({"record": "item", "code": "x"})
    assert not validator.is_valid({**json.loads(kind_line(filed[0])), "audience": "everybody"})
