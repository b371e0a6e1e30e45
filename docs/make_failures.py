"""Writes `docs/failures.md` from the failure texts: `python docs/make_failures.py`."""

from pathlib import Path

from clerk_app import failures

HEAD = """# 故障代码 · Failure codes

What each code on the screen means and the one thing to do. Written from `resources/failures/*.toml` by
`python docs/make_failures.py`; a test compares the two.
"""


def main() -> None:
    lines = [HEAD]
    for code in failures.codes():
        zh, en = failures.text(code, "zh"), failures.text(code, "en")
        lines.append(f"### {code}\n\n{zh.sentence}{zh.action}\n\n{en.sentence} {en.action}\n")
    Path(__file__).with_name("failures.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
