"""The reference of the item search: the same kinds in tantivy, set up as well as it reasonably can be.

One document a kind, so that its hits are grouped as ours are; the bodies lie in the stored document. Chinese
is indexed character by character (phrases find words of any length). Pinyin, initials and English words are
indexed as edge n-grams, pinyin and initials from every character of a name on, so that what is typed so far
is one term wherever it begins; official codes are prefix queries. Name, aliases, result, themes, department
and bodies are fields with boosts; the number of bodies weighs the score as it orders our kinds. A search with
few hits is repeated with fuzzy pinyin and with some characters missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import tantivy

from clerk_app.catalogue.text import fold, terms
from clerk_app.catalogue.transcribe import spell
from clerk_app.domain.catalogue import ON_APPLICATION, Implementation, ItemKind

FEW = 5
LONGEST = 40
CHINESE = (("name", 5.0), ("alias", 4.0), ("result", 1.5), ("theme", 0.5), ("place", 0.7))
WHOLE = (("whole_initials", 3.0), ("whole_pinyin", 3.0))
EDGES = (("initials", 2.0), ("pinyin", 2.2), ("english", 1.0), ("place_sound", 0.5))
_RUNS = re.compile(r"[a-z0-9]+|[^a-z0-9]+")

Document = dict[str, object]


class TantivyCatalogue:
    """`search` gives the stored documents of the best kinds."""

    def __init__(self, folder: Path, kinds: Sequence[ItemKind], items: Iterable[Implementation]) -> None:
        schema = tantivy.SchemaBuilder()
        for name, _ in (*CHINESE, *WHOLE):
            schema.add_text_field(name, tokenizer_name="whitespace")
        for name, _ in EDGES:
            schema.add_text_field(name, tokenizer_name="edges", index_option="freq")
        schema.add_text_field("code", tokenizer_name="raw", index_option="basic")
        schema.add_unsigned_field("bodies", fast=True)
        schema.add_bytes_field("stored", stored=True, indexed=False)
        self._schema = schema.build()
        folder.mkdir(parents=True, exist_ok=True)
        self._index = tantivy.Index(self._schema, path=str(folder))
        edges = tantivy.Tokenizer.ngram(1, LONGEST, prefix_only=True)
        self._index.register_tokenizer("edges", tantivy.TextAnalyzerBuilder(edges).build())
        by_kind: dict[str, list[Implementation]] = {}
        for item in items:
            by_kind.setdefault(item.kind, []).append(item)
        writer = self._index.writer(heap_size=128_000_000, num_threads=1)
        for kind in kinds:
            if kind.type in ON_APPLICATION:
                writer.add_document(_document(kind, by_kind.get(kind.code, [])))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()

    def search(self, text: str, limit: int = 20) -> list[Document]:
        """The best kinds for what was typed so far, strictly first, then forgivingly."""
        typed = terms(text)
        if not typed:
            return []
        found = self._documents([self._term(term, forgiving=False) for term in typed], limit)
        if len(found) < FEW:
            seen = {document["name"] for document in found}
            more = self._documents([self._term(term, forgiving=True) for term in typed], limit)
            found += [document for document in more if document["name"] not in seen]
        return found[:limit]

    def _documents(self, queries: list[tantivy.Query], limit: int) -> list[Document]:
        query = tantivy.Query.boolean_query([(tantivy.Occur.Must, query) for query in queries])
        hits = self._searcher.search(query, limit, count=False, weight_by_field="bodies").hits
        return [json.loads(self._searcher.doc(address)["stored"][0]) for _, address in hits]

    def _term(self, term: str, *, forgiving: bool) -> tantivy.Query:
        """One term: all its runs of characters and of letters."""
        runs = _RUNS.findall(term)
        parts = [
            self._letters(run, forgiving=forgiving)
            if run[0].isascii()
            else self._characters(run, forgiving=forgiving)
            for run in runs
        ]
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, part) for part in parts])

    def _characters(self, run: str, *, forgiving: bool) -> tantivy.Query:
        words = list(run)
        any_of = [self._boosted(self._phrase(field, words), boost) for field, boost in CHINESE]
        if forgiving and len(words) > 1:
            for field, boost in CHINESE[:2]:
                some = [(tantivy.Occur.Should, self._word(field, word)) for word in words]
                least = max(1, round(0.6 * len(words)))
                scattered = tantivy.Query.boolean_query(some, minimum_number_should_match=least)
                any_of.append(self._boosted(scattered, boost * 0.2))
            sound = "".join(spell(run))
            any_of.append(self._word("pinyin", sound[:LONGEST]))
        return _any(any_of)

    def _letters(self, run: str, *, forgiving: bool) -> tantivy.Query:
        run = run[:LONGEST]
        any_of = [self._boosted(self._word(field, run), boost) for field, boost in (*WHOLE, *EDGES)]
        if len(run) >= 4 and any(c.isdigit() for c in run):
            any_of.append(self._boosted(self._begins("code", run), 9.0))
        if forgiving and len(run) >= 4:
            for field in ("pinyin", "initials"):
                fuzzy = tantivy.Query.fuzzy_term_query(self._schema, field, run, distance=1)
                any_of.append(self._boosted(fuzzy, 0.5))
        return _any(any_of)

    def _word(self, field: str, word: str) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, field, word)

    def _phrase(self, field: str, words: Sequence[str]) -> tantivy.Query:
        if len(words) == 1:
            return self._word(field, words[0])
        return tantivy.Query.phrase_query(self._schema, field, list(words))

    def _begins(self, field: str, prefix: str) -> tantivy.Query:
        return tantivy.Query.regex_query(self._schema, field, re.escape(prefix) + ".*")

    @staticmethod
    def _boosted(query: tantivy.Query, boost: float) -> tantivy.Query:
        return tantivy.Query.boost_query(query, boost)


def _any(queries: list[tantivy.Query]) -> tantivy.Query:
    """The best of several, so that a name found in four ways does not outweigh one found well."""
    return tantivy.Query.disjunction_max_query(queries, tie_breaker=0.1)


def _document(kind: ItemKind, items: Sequence[Implementation]) -> tantivy.Document:
    document = tantivy.Document()
    names = [fold(name)[0] for name in (kind.name, *kind.aliases)]
    document.add_text("name", " ".join(names[0]))
    for alias in names[1:]:
        document.add_text("alias", " ".join(alias))
    document.add_text("result", " ".join(fold(kind.result)[0]))
    for theme in kind.themes:
        document.add_text("theme", " ".join(theme))
    for name in names:
        syllables = spell(name)
        initials = "".join(s[:1] for s in syllables)
        document.add_text("whole_pinyin", "".join(syllables))
        document.add_text("whole_initials", initials)
        for start in range(len(syllables)):
            document.add_text("pinyin", "".join(syllables[start:]))
            document.add_text("initials", initials[start:])
    places = dict.fromkeys((kind.department, kind.department + "局", *(item.body_name for item in items)))
    for place in places:
        document.add_text("place", " ".join(place))
        document.add_text("place_sound", "".join(spell(place)))
    for word in "".join(c if c.isalnum() else " " for c in kind.name_en.casefold()).split():
        document.add_text("english", word)
    document.add_text("code", kind.code)
    for item in items:
        document.add_text("code", item.code.casefold())
    document.add_unsigned("bodies", len(items))
    bodies = [(item.code, item.body_name, item.region, item.level) for item in items]
    stored = {
        "code": kind.code,
        "name": kind.name,
        "name_en": kind.name_en,
        "department": kind.department,
        "type": kind.type.value,
        "bodies": bodies,
    }
    document.add_bytes("stored", json.dumps(stored, ensure_ascii=False).encode())
    return document
