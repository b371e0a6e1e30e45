"""`back-office conformance`: the promises of docs/protocol.md, tried against any office that is being served.

Two windows are enrolled and behave as windows do on a bad day: they repeat, lose answers, skip, lie and come
at once. Every promise is a function in one of the modules, with the sentence of the document it tries.
Nothing is known of the office but its address, a clerk and codes to enrol with.

It files cases of invented people, issues tickets and closes the epoch of one of its windows, and an office
may take what it sees for a lost memory: it is for a hall made for trying.
"""

from back_office.conformance.bench import Access, Bench
from back_office.conformance.promises import Promise, Result
from back_office.conformance.running import promises, run, tried
from back_office.conformance.station import Line

__all__ = ["Access", "Bench", "Line", "Promise", "Result", "promises", "run", "tried"]
