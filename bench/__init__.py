"""One script a claim: each measures against a reference in the same run and prints a table and JSON."""
