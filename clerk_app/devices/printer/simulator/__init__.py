"""A slip printer made of software: bytes in, paper out; also the preview in the window."""
