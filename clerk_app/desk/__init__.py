"""Use cases of the window, one module a verb group, and the ports they need."""
