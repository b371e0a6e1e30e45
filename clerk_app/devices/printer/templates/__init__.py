"""What a slip looks like, from text files that a hall can change: read, checked, drawn."""
