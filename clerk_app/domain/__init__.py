"""The hall in plain Python: no I/O, no Qt, no SQL. Standard library only."""
