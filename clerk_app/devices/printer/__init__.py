"""Slips on paper: layout, encoding, transport, status, simulator.

From a slip to paper: `slips` (what stands where) → `layout` (columns) → `encoder` (bytes; `dots` for rare
characters) → `printer` over `transport` (and what the printer says: `status`). The other direction is the
simulator: `simulator` (network) → `mechanism` (buffer, faults) → `interpreter` (bytes) → `paper` (picture).
"""
