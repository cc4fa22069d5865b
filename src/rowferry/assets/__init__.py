"""The assets of an IT department: things, where they are, who has them."""
