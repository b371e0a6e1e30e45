"""Everything plugged into the workstation, behind the ports that the desk declares."""
