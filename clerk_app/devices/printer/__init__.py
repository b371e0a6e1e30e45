"""Slips on paper: layout, encoding, transports, simulator."""
