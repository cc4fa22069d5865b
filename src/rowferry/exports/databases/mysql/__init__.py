"""MariaDB and MySQL: how they are read, and how they write each kind of value."""
