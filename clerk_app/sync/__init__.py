"""Intents go up, facts come down: the window's side of the sync protocol."""
