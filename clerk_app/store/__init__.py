"""The encrypted cache of one workstation."""
