"""Thousands of cards and slips with random faults: nothing leaks, and no paper is lied about.

`python -m tests.soak` runs for tens of minutes; `tests/integration/test_soak.py` a sample of it.
"""
