"""A whole hall on one machine, to learn on and to test with. Never touches real data."""
