"""Readers that speak SDT frames (`AA AA AA 96 69`), over a serial port, TCP or a PC/SC control code."""
