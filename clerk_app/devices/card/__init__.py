"""Identity cards: monitor, drivers, parsers, simulator."""
