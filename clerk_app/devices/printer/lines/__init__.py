"""The lines to a printer: network, serial port, device file, USB, spoolers; chosen by their address."""
