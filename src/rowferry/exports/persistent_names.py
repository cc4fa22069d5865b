"""Names that are stored or sent: in tables, file names, messages and hashes.

They outlive a version of the program, so they never change. A new meaning gets a new name, and the old one stays for as
long as something that carries it may exist.
"""

from __future__ import annotations

QUEUE = "exports"
"""The broker's queue, exchange and routing key."""
RUN_TASK = "rowferry.run"
ANSWER_TASK = "rowferry.answer"
SCHEDULER_ROLE = "scheduler"
"""The row of the table of leaders that the scheduler holds."""
HASH_DOMAIN = "rowferry.hash"
"""What separates the keys of hashed columns from all other uses of SECRET_KEY; the column's domain follows."""
PART_SUFFIX = ".part"
"""The end of a file's name while it is written."""
MANIFEST_SUFFIX = ".manifest.json"
SIGNATURE_ALGORITHM = "EdDSA"
SIGNATURE_FIELD = "signature"
