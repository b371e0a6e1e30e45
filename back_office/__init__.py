"""The reference central back office: registers, numbers and routes what the windows file."""
