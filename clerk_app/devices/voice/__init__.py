"""The voice: what is said, the chime, and the process that says it."""
