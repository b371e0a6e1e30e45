"""Tables (CSV) of catalogues as offices export them: English or Chinese headers, UTF-8 or GB18030."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from clerk_app.catalogue.record_rules import Fault

COLUMNS = {
    # column: (Chinese header, field of the item or "", field of the kind or "")
    "item_code": ("实施编码", "code", ""),
    "kind_code": ("基本编码", "kind", "code"),
    "name": ("事项名称", "", "name"),
    "type": ("事项类型", "", "type"),
    "audience": ("服务对象", "", "audience"),
    "department": ("部门", "", "department"),
    "name_en": ("英文名称", "", "name_en"),
    "aliases": ("别名", "", "aliases"),
    "themes": ("主题", "", "themes"),
    "legal_basis": ("设定依据", "", "legal_basis"),
    "conditions": ("受理条件", "", "conditions"),
    "process": ("办理流程", "", "process"),
    "legal_days": ("法定办结时限", "", "legal_days"),
    "promised_days": ("承诺办结时限", "promised_days", "promised_days"),
    "day_unit": ("时限单位", "", "day_unit"),
    "handling": ("办件类型", "handling", "handling"),
    "fee": ("收费", "", "fee"),
    "result": ("结果名称", "", "result"),
    "visits": ("到办事现场次数", "", "visits"),
    "visits_reason": ("必须现场办理原因", "", "visits_reason"),
    "offline": ("离线规则", "", "offline"),
    "body_code": ("实施主体编码", "body_code", ""),
    "body_name": ("实施主体", "body_name", ""),
    "region": ("行政区划", "region", ""),
    "level": ("行使层级", "level", ""),
    "status": ("事项状态", "status", ""),
    "version": ("事项版本", "version", ""),
    "valid_from": ("计划生效日期", "valid_from", ""),
    "valid_to": ("计划取消日期", "valid_to", ""),
    "advice_phone": ("咨询电话", "advice_phone", ""),
    "supervision_phone": ("监督电话", "supervision_phone", ""),
    "address": ("办理地点", "address", ""),
    "hours": ("办理时间", "hours", ""),
    "window_decides": ("授权到位", "window_decides", ""),
}
"""Every column of the table; both headers are accepted, in any order."""

REQUIRED = ("item_code", "kind_code", "body_code", "body_name", "region", "level")

WORDS = {
    "type": {
        "行政许可": "licence",
        "行政处罚": "penalty",
        "行政强制": "coercion",
        "行政征收": "levy",
        "行政给付": "payment",
        "行政检查": "inspection",
        "行政确认": "confirmation",
        "行政奖励": "reward",
        "行政裁决": "adjudication",
        "其他行政权力": "other_power",
        "公共服务": "public_service",
    },
    "audience": {"自然人": "person", "法人": "organisation", "自然人和法人": "both"},
    "day_unit": {"工作日": "working", "自然日": "calendar"},
    "handling": {"即办件": "on_the_spot", "承诺件": "promise"},
    "offline": {"可受理": "accept", "仅收件": "receive", "不可办": "nothing"},
    "level": {"市级": "city", "县级": "county", "园区": "park", "乡镇级": "town"},
    "status": {"已发布": "published", "已取消": "retired"},
    "window_decides": {"是": "true", "否": "false"},
}
"""Chinese words of a column and the names they are stored by."""

_LISTS = frozenset({"aliases", "themes"})
_LIST_MARKS = str.maketrans({"；": ";", "、": ";"})


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row split into what it says of the item and of the kind; `faults` when it cannot be split."""

    line: int
    item: dict[str, Any] = field(default_factory=dict)
    kind: dict[str, Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def table_rows(data: bytes) -> Iterator[TableRow]:
    """The rows below the header. Ends after a fault that leaves nothing to go on with (encoding, header)."""
    text = _decoded(data)
    if text is None:
        yield TableRow(1, faults=(Fault("", "IMPORT-NOT-TEXT"),))
        return
    reader = csv.reader(io.StringIO(text, newline=""))
    columns: list[str] | None = None
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield TableRow(reader.line_num, faults=(Fault("", "IMPORT-COLUMNS", str(error)[:80]),))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if columns is None:
            columns = [_column(cell) for cell in cells]
            missing = [name for name in REQUIRED if name not in columns]
            if missing or len(set(columns)) != len(columns):
                yield TableRow(reader.line_num, faults=_header_faults(columns, missing))
                return
        elif len(cells) != len(columns):
            detail = f"{len(cells)} instead of {len(columns)}"
            yield TableRow(reader.line_num, faults=(Fault("", "IMPORT-COLUMNS", detail),))
        else:
            yield _row(reader.line_num, dict(zip(columns, cells, strict=True)))


def _decoded(data: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


_BY_HEADER = {header: name for name, (header, _, _) in COLUMNS.items()}


def _column(cell: str) -> str:
    header = cell.strip()
    return _BY_HEADER.get(header, header)


def _header_faults(columns: list[str], missing: list[str]) -> tuple[Fault, ...]:
    twice = sorted({name for name in columns if columns.count(name) > 1})
    return tuple(
        [Fault(name[:60], "IMPORT-MISSING", "column") for name in missing]
        + [Fault(name[:60], "IMPORT-DUPLICATE", "column") for name in twice]
    )


def _row(line: int, cells: dict[str, str]) -> TableRow:
    item: dict[str, Any] = {}
    kind: dict[str, Any] = {}
    for name, cell in cells.items():
        text = cell.strip()
        if not text:
            continue
        value: Any = WORDS.get(name, {}).get(text, text)
        if name in _LISTS:
            value = [part.strip() for part in text.translate(_LIST_MARKS).split(";") if part.strip()]
        _, of_item, of_kind = COLUMNS.get(name, ("", name, ""))
        if of_item:
            item[of_item] = value
        if of_kind:
            kind[of_kind] = value
    return TableRow(line, item, kind)
