"""One camera: detections become tracklets."""
