"""The documents for people and the program are held together: what one says, the other does."""

from __future__ import annotations

import argparse
import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from back_office import cli as office_cli
from clerk_app import cli as window_cli
from clerk_app import failures, settings
from clerk_app.devices.card.pseudo_apdu import PseudoApduTable, table_from_settings
from clerk_app.ui.keys import Key
from clerk_app.ui.words import words

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
MANUALS = {"zh": ROOT / "docs" / "clerk.md", "en": ROOT / "docs" / "clerk.en.md"}
IT = ROOT / "docs" / "it.md"
PARSERS = {"clerk-app": window_cli._parser, "back-office": office_cli._parser}

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CHORD = re.compile(r"F\d{1,2}|Esc|(?:(?:Ctrl|Alt|Shift)\+)+\w+")
FAILURE = re.compile(
    rf"(?:{'|'.join(sorted({code.split('-')[0] for code in failures.codes()}))})-[A-Z-]+[A-Z]"
)
FOLDERS = "clerk_app|back_office|practice|resources|docs|tests|bench|installer|requirements"
FILE = re.compile(rf"(?:{FOLDERS})(?:/[\w.-]+)+")

page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def snippets(path: Path) -> Iterator[str]:
    """The code of a page: inline spans and the lines of its shell blocks."""
    whole = text(path)
    for language, block in FENCE.findall(whole):
        if language == "sh":
            yield from block.replace("\\\n", " ").splitlines()
    yield from CODE.findall(FENCE.sub("", whole))


# --- commands -------------------------------------------------------------------------------------------


def commands(path: Path) -> Iterator[list[str]]:
    """Each command line of ours in a page, as its words."""
    for snippet in snippets(path):
        line = snippet.split("  #")[0].split("<<<")[0].replace("\\|", "|").replace("…", "").strip()
        found = re.match(r"(?:\S*/)?(clerk-app|back-office)(?: (?P<rest>[^|&;]*))?", line)
        if found and found["rest"]:
            yield [found[1], *shlex.split(found["rest"])]


def refused(line: list[str]) -> str:
    """What of a command line the parsers do not know; empty when they know all of it."""
    parser = PARSERS[line[0]]()
    options = _options(parser)
    for word in line[1:]:
        verbs = next((a for a in parser._actions if isinstance(a, argparse._SubParsersAction)), None)
        if word.startswith("-"):
            if word not in options:
                return word
        elif verbs is not None and not word.isupper():
            if word not in verbs.choices:
                return word
            parser = verbs.choices[word]
            options |= _options(parser)
    return ""


def _options(parser: argparse.ArgumentParser) -> set[str]:
    return {option for action in parser._actions for option in action.option_strings}


def leaves(parser: argparse.ArgumentParser, name: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    verbs = next((a for a in parser._actions if isinstance(a, argparse._SubParsersAction)), None)
    if verbs is None:
        yield name, parser
        return
    for verb, below in verbs.choices.items():
        yield from leaves(below, f"{name} {verb}")


LEAVES = {name: parser for program, made in PARSERS.items() for name, parser in leaves(made(), program)}


@page
def test_every_command_shown_exists_with_its_options(path):
    unknown = {" ".join(line): word for line in commands(path) if (word := refused(line))}
    assert unknown == {}


@pytest.mark.parametrize("command", LEAVES)
def test_every_command_is_in_the_readme(command):
    assert f"`{command}" in text(ROOT / "README.md")


@pytest.mark.parametrize("command", LEAVES)
def test_every_option_is_in_the_manual_of_its_program(command):
    options = _options(LEAVES[command]) - {"-h", "--help"}
    manuals = (
        ["back-office.md", "protocol.md"] if command.startswith("back-office") else ["it.md", "devices.md"]
    )
    told = "".join(text(ROOT / "docs" / manual) for manual in manuals) + text(ROOT / "README.md")
    assert {option for option in options if option not in told} == set()


def test_every_make_target_shown_exists():
    targets = set(re.findall(r"^\.PHONY: (.*)$", text(ROOT / "Makefile"), re.MULTILINE)[0].split())
    shown = {
        found[1]
        for path in PAGES
        for snippet in snippets(path)
        if (found := re.match(r"\s*make ([a-z]+)", snippet))
    }
    assert {"demo", "test", "tour"} <= shown <= targets


def test_the_changed_command_line_is_noticed():
    assert refused(["clerk-app", "run", "--verbose"]) == ""
    assert refused(["clerk-app", "run", "--loud"]) == "--loud"
    assert refused(["back-office", "user", "promote"]) == "promote"
    assert refused(["clerk-app", "card", "print-sample"]) == "print-sample"


# --- links and files ----------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@page
def test_every_relative_link_leads_somewhere(path):
    for link in LINK.findall(FENCE.sub("", text(path))):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@page
def test_every_file_named_exists(path):
    named = {found for snippet in CODE.findall(text(path)) for found in FILE.findall(snippet)}
    missing = {name for name in named if not (ROOT / name).exists() and not list(ROOT.glob(name + ".*"))}
    assert missing - {"docs/evidence.md"} == set()


@page
def test_every_page_is_in_the_index(path):
    if path.parent.name == "docs" and path.name != "README.md":
        assert f"({path.name})" in text(ROOT / "docs" / "README.md")


@pytest.mark.parametrize("name", ["LICENSE", "NOTICE", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_the_files_about_the_project_are_there_and_linked(name):
    assert (ROOT / name).stat().st_size > 200
    assert name == "README.md" or f"]({name})" in text(ROOT / "README.md")


# --- the table of faults --------------------------------------------------------------------------------

FAULTS = ROOT / "docs" / "evidence" / "faults.md"


def test_the_table_of_faults_has_them_all_and_is_in_the_evidence():
    rows = re.findall(r"^\| (\d+) \|.*\|$", text(FAULTS), re.MULTILINE)
    assert [int(row) for row in rows] == [*range(1, 31)]
    assert text(ROOT / "docs" / "evidence.md").endswith(text(FAULTS))


def test_every_test_in_the_table_of_faults_exists():
    named = re.findall(r"`(test_\w+)::(test_\w+)`", text(FAULTS))
    assert len(named) > 50
    there = {file.stem: text(file) for file in (ROOT / "tests").rglob("test_*.py")}
    assert [f"{file}::{name}" for file, name in named if f"def {name}(" not in there.get(file, "")] == []


def test_every_test_that_bears_the_number_of_a_fault_is_one_of_its_row():
    """`test_fault_09_…` and `test_faults_20_21_…` prove rows 9, 20 and 21."""
    table = text(FAULTS)
    rows = dict(re.findall(r"^\| (\d+) \|(.*)$", table, re.MULTILINE))
    for numbers, name in re.findall(r"::(test_faults?((?:_\d\d)+)_\w+)`", table):
        assert all(numbers in rows[str(int(each))] for each in name.split("_")[1:]), numbers


# --- keys, words, failures --------------------------------------------------------------------------------


@pytest.mark.parametrize("manual", MANUALS.values(), ids=list(MANUALS))
def test_the_clerks_manual_names_every_key_and_no_other(manual):
    named = {code for code in CODE.findall(text(manual)) if CHORD.fullmatch(code)}
    assert named == {key.value for key in Key}


@cache
def sayings(language: str) -> tuple[re.Pattern[str], ...]:
    """Every text of the window with placeholders, these open; not those that are little else."""
    opened = (re.sub(r"\\{\w+\\}", ".+", re.escape(said)) for said in words(language).values())
    return tuple(re.compile(said) for said in opened if ".+" in said and len(re.findall(r"\w", said)) >= 3)


def on_screen(language: str, quoted: str) -> bool:
    """Whether the window says `quoted`: a text or a part of one, or one with its placeholders filled in."""
    told = words(language).values()
    return any(quoted in said for said in told) or any(said.fullmatch(quoted) for said in sayings(language))


def test_the_words_in_the_chinese_manual_are_those_on_the_screen_or_on_a_slip():
    printer = ROOT / "clerk_app/devices/printer"
    files = [printer / "wording.py", printer / "slips.py", *sorted((ROOT / "resources/slips").glob("*.slip"))]
    slips = "".join(map(text, files))
    quoted = {part.rstrip("…") for part in re.findall("「([^」]+)」", text(MANUALS["zh"]))}
    absent = {q for q in quoted if not on_screen("zh", q) and not all(w in slips for w in q.split(" … "))}
    assert absent - {"", "补打 第1次"} == set()
    assert "补打 第{reprint}次" in slips


def test_the_bold_words_of_the_english_manual_are_those_on_the_screen():
    whole = " ".join(text(MANUALS["en"]).split())
    bold = {part.rstrip(":.") for part in re.findall(r"\*\*([^*]+)\*\*", whole)}
    assert {word for word in bold if not on_screen("en", word)} == set()


@page
def test_every_failure_code_named_has_its_texts(path):
    named = {found for code in CODE.findall(text(path)) for found in [code] if FAILURE.fullmatch(found)}
    assert named - set(failures.codes()) - {"AREA-CODE"} == set()


# --- settings ---------------------------------------------------------------------------------------------


def known_settings() -> set[str]:
    """Every entry a settings file may have, as table.key."""
    return (
        {f"office.{name}" for name in ("url", "ca", "certificate", "keep_days", "lock_minutes")}
        | {f"printer.{field.name}" for field in fields(settings.PrinterSettings)}
        | {f"voice.{field.name}" for field in fields(settings.VoiceSettings)}
        | {f"scanner.{field.name}" for field in fields(settings.ScannerSettings)}
        | {f"window.{field.name}" for field in fields(settings.WindowSettings)}
        | {"reader.driver", "reader.readers", "reader.social_security"}
        | {f"reader.{field.name}" for field in fields(PseudoApduTable)}
    )


def test_every_setting_is_in_its_table_and_no_other():
    tables = "office|printer|voice|scanner|window|reader"
    rows = re.findall(rf"^\| (`(?:{tables})\.[^|]+)\|", text(IT), re.MULTILINE)
    assert {name for row in rows for name in CODE.findall(row)} == known_settings()


def test_the_settings_shown_are_read_without_complaint(tmp_path):
    shown = next(block for language, block in FENCE.findall(text(IT)) if language == "toml")
    (tmp_path / settings.FILE).write_text(shown, encoding="utf-8")
    read = settings.load(tmp_path)
    assert set(tomllib.loads(shown)) == {"office", "printer", "reader", "window"}
    assert (read.printer.width, read.printer.encoding, read.window.scale) == (80, "gb18030", 100)
    assert [table_from_settings(reader) for reader in read.readers] == [PseudoApduTable()]


def test_the_defaults_told_are_the_defaults():
    printer, window, reader = settings.PrinterSettings(), settings.WindowSettings(), PseudoApduTable()
    manual = text(IT)
    assert f"`150`, {window.scale} |" in manual
    assert f"`contrast`, {window.theme} |" in manual
    assert f"`en`, {window.language} |" in manual
    assert f"`58`, {printer.width} |" in manual
    assert f"`raster`, {printer.encoding} |" in manual
    assert f'`"{reader.atr_mark.hex()}"` |' in manual
    assert f'`"{reader.header.hex()}"` |' in manual
    assert f"0x{reader.cla:X} and 0x{reader.ins:X} |" in manual
    assert f"0 to 32, {reader.atr_mark_offset} |" in manual
