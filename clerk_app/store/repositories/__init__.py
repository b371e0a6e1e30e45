"""The repositories of one transaction, one a module. Frozen dataclasses go in and come out, never a row."""
