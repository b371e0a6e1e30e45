"""The catalogue of service items as a file: built by the back office, read and searched by the window."""
