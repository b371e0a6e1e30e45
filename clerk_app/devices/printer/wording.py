"""The fixed words of the slips: Chinese, and the English that may stand under or beside it."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    ZH = "zh"
    ZH_EN = "zh+en"


ENGLISH = {
    "收件凭证": "Voucher of Receipt",
    "作废": "VOID",
    "取号票": "Queue Ticket",
    "申请人": "Applicant",
    "证件号码": "ID number",
    "代理人": "Agent",
    "办理事项": "Service item",
    "实施机关": "Authority",
    "收件时间": "Received at",
    "办结期限": "Due by",
    "咨询电话": "Advice",
    "监督电话": "Supervision",
    "经办人": "Clerk",
    "办理窗口": "Window",
    "作废时间": "Voided at",
    "作废原因": "Reason",
    "业务": "Queue",
    "前面等待": "Ahead of you",
    "取号时间": "Issued at",
    "材料清单": "Materials",
    "未收取材料": "No materials were taken",
    "人工录入，未读卡": "Typed in, no card read",
    "预计日期以公布的工作日历为准": "Provisional until the calendar is published",
    "本凭证不代表受理": "This voucher is not a notice of acceptance",
    "离线办理，联网后自动上报": "Filed offline; reported when the network is back",
    "原收件凭证同时作废，请勿再用": "The receipt voucher of this number is void too",
    "凭编号或扫码查询办理进度": "Follow your case by number or code",
    "请留意叫号屏幕和语音": "Please watch the display and listen for your number",
    "练习": "PRACTICE",
    "练习专用，不具效力": "For practice only, without any effect",
}

# How a material was handed over, by the word the slip carries.
MODES = {
    "seen": ("原件核验", "seen"),
    "paper": ("收取纸质", "paper"),
    "licence": ("电子证照", "e-licence"),
    "deferred": ("容缺后补", "to follow"),
    "promise": ("告知承诺", "promised"),
}


def ordinal_mark(reprint: int) -> str:
    """The mark of a reprint: `补打 第2次`."""
    return f"补打 第{reprint}次"
