"""ThumbNet: one small learned thumbnail per photo, and the networks that classify it."""
