"""Fuzzing of whatever reads bytes from outside: `python -m tests.fuzz --seconds 60 [TARGET …]`.

A target is a function `fuzz_*(data: bytes)` in a `targets_*.py`: it hands the bytes to one parser and may
raise nothing but `Failure`. What else it raises, and a run that takes too long, is a finding.
"""
