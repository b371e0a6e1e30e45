"""What the clerk sees. Widgets hold immutable snapshots and never a row or a session."""
