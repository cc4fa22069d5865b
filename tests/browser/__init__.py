"""The page as people use it: real Chromium, real processes."""
