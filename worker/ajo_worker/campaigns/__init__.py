"""What Adobe says of campaigns: asked, read, cached, and compared with their definitions."""
