"""Pages of materials: a picture straightened and compressed, and the camera."""
