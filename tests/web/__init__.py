"""The page, asked as a browser asks it."""
