"""The program on the screen of a government service-hall window."""

__version__ = "0.1.0"
