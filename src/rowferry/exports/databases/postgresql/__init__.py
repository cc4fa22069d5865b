"""PostgreSQL: how it is read, and how it writes each kind of value."""
