"""From light to pixels: cameras, illumination, sensors, and the renderer."""
