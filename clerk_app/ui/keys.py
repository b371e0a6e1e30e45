"""The keys of the window, in one table: what a button shows is what the shortcut obeys."""

from __future__ import annotations

from enum import StrEnum


class Key(StrEnum):
    """Every act of the counter by its key. Routine acts lie on F keys; legal weight needs a chord."""

    CALL = "F1"
    RECALL = "F2"
    NO_SHOW = "F3"
    FINISH = "F7"
    RECEIVE = "F8"
    ACCEPT = "F9"
    ANOTHER = "Ctrl+N"
    REPRINT = "Ctrl+P"
    DISCARD = "Ctrl+Shift+X"
    YES = "Alt+Y"
    NO = "Alt+N"
    VOID = "Ctrl+Shift+D"
    SEARCH = "Ctrl+K"
    OUTBOX = "Ctrl+O"
    SLIPS = "Ctrl+J"
    PAPER = "Alt+P"
    ISSUE = "Alt+I"
    SCAN = "Alt+S"
    TYPED = "Alt+T"
    AGENT = "Alt+A"
    ORGANISATION = "Alt+O"
    CLEAR = "Alt+X"
    GUIDE = "Alt+G"
    CASES = "Alt+C"
    LANGUAGE = "Ctrl+L"
    LOOK = "Ctrl+T"
    DOCTOR = "Ctrl+Shift+I"
    LOCK = "Ctrl+Shift+L"
    SIGN_OUT = "Ctrl+Shift+Q"
    CLOSE = "Esc"
    STEP_1 = "Alt+1"
    STEP_2 = "Alt+2"
    STEP_3 = "Alt+3"
    STEP_4 = "Alt+4"
    STEP_5 = "Alt+5"
    STEP_6 = "Alt+6"


STEPS = (Key.STEP_1, Key.STEP_2, Key.STEP_3, Key.STEP_4, Key.STEP_5, Key.STEP_6)
