"""What the engine remembers: the export (the truth), its log, its attempts, its mails, and what a person has used
up."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from rowferry.exports.formats import file_type
from rowferry.exports.models.audit_log import AuditAnchor as AuditAnchor
from rowferry.exports.models.audit_log import Event as Event
from rowferry.exports.models.audit_log import ExportLog as ExportLog
from rowferry.exports.models.mode_reason import ModeReason
from rowferry.exports.resources.actor import PERSON_KIND, Identity, identity
from rowferry.exports.translation import count_of


class Status(models.TextChoices):
    """The states of an export. Which moves exist is said in `lifecycle.MOVES`."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DELETED = "deleted"


SENTENCES = {
    Status.PENDING: "Waiting for a worker…",
    Status.PROCESSING: "Processing… ({percent}% complete)",
    Status.COMPLETED: "Ready: {rows}.",
    Status.FAILED: "Failed: see the error, then retry.",
    Status.CANCELLED: "Cancelled.",
    Status.EXPIRED: "Expired: the file was removed when its time was over.",
    Status.DELETED: "Deleted: the file was removed.",
}


class Mode(models.TextChoices):
    """How the file reaches the person who asked."""

    IMMEDIATE = "immediate"
    STREAMED = "streamed"
    QUEUED = "queued"


class Export(models.Model):
    """One order for one file: its spec, its state, its file. The row is the truth; the broker only wakes workers up."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="rowferry_exports", db_index=False
    )
    user_name = models.CharField(max_length=150, blank=True)
    user_email = models.CharField(max_length=254, blank=True)
    actor_kind = models.CharField(max_length=16, null=True)
    """Who ordered it: the `person` of the three columns above, whose rights hold, or the `operator`; null = from before
    this was recorded."""
    resource = models.CharField(max_length=100)
    format = models.CharField(max_length=32)
    spec = models.JSONField()
    connection_context = models.JSONField(null=True)
    """What the project sets on its connections, as it was when the export was ordered: e.g. the tenant."""
    mode = models.CharField(max_length=16, choices=Mode.choices)
    mode_reason = models.JSONField()
    """A ModeReason as JSON."""
    keep = models.BooleanField(default=True)
    notify = models.BooleanField(default=False)
    retry_of = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="retries")

    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    snapshot_at = models.DateTimeField(null=True)

    total_items = models.BigIntegerField()
    total_is_estimate = models.BooleanField(default=False)
    exported_items = models.BigIntegerField(default=0)
    failed_items = models.BigIntegerField(default=0)

    attempt = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=3)
    fence = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    wakeup_sent_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=200, blank=True)
    cancel_requested_at = models.DateTimeField(null=True)
    cancel_requested_by = models.JSONField(null=True)
    """Who asked, as the columns of the event that will say so."""

    file_key = models.CharField(max_length=200, blank=True)
    file_size = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    manifest = models.JSONField(null=True)
    download_count = models.PositiveIntegerField(default=0)
    reminded_at = models.DateTimeField(null=True)
    error = models.JSONField(null=True)
    log_sequence = models.PositiveIntegerField(default=0, editable=False)
    log_hash = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        permissions = [("view_all_exports", "Can see everybody's exports")]
        indexes = [
            models.Index(fields=["user", "keep", "-created_at", "-id"], name="rowferry_history"),
            models.Index(fields=["user", "keep", "status"], name="rowferry_status_count"),
            models.Index(fields=["expires_at"], name="rowferry_expiry"),
            models.Index(fields=["status", "created_at"], condition=Q(status="pending"), name="rowferry_waiting"),
            models.Index(fields=["lease_until"], condition=Q(status="processing"), name="rowferry_leased"),
        ]

    def __str__(self) -> str:
        return f"{self.resource} as {self.format} ({self.status})"

    @property
    def actor(self) -> Identity | None:
        """Who ordered it; None = not recorded."""
        if self.actor_kind == PERSON_KIND:
            return self._owner
        return identity(None, self.actor_kind, "") if self.actor_kind else None

    @property
    def on_behalf_of(self) -> Identity | None:
        """The person whose rights hold, if that is somebody else than the actor."""
        return self._owner if self.user_name and self.actor_kind not in (PERSON_KIND, None) else None

    @property
    def _owner(self) -> Identity:
        return identity(self.user_id, self.user_name, self.user_email)

    @property
    def filename(self) -> str:
        """What a download is called: `assets_2025-10-30.csv`."""
        return f"{self.resource}_{self.created_at:%Y-%m-%d}.{file_type(self.format, self.spec['options'])[0]}"

    @property
    def content_type(self) -> str:
        return file_type(self.format, self.spec["options"])[1]

    @property
    def reason(self) -> ModeReason:
        """Why it has its mode."""
        return ModeReason.from_json(self.mode_reason)

    @property
    def is_over(self) -> bool:
        """Whether its file's time is over, even if nobody has swept it away yet."""
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def can_be_downloaded(self) -> bool:
        return self.status == Status.COMPLETED and not self.is_over

    @property
    def progress_percent(self) -> int:
        """0 to 100; 100 only when it is completed."""
        if self.status in (Status.COMPLETED, Status.EXPIRED) or self.file_key:
            return 100
        processed = self.exported_items + self.failed_items
        return min(99, processed * 100 // self.total_items) if self.total_items else 0

    @property
    def success_rate(self) -> float | None:
        """Percent of the rows read so far that are in the file; None while it waits, and where no file was made."""
        if not self.file_key and self.status != Status.PROCESSING:
            return None
        processed = self.exported_items + self.failed_items
        return round(100 * self.exported_items / processed, 2) if processed else 100.0

    @property
    def duration_seconds(self) -> float | None:
        """From the first start to the end; None before."""
        if self.started_at is None or self.completed_at is None:
            return None
        return round((self.completed_at - self.started_at).total_seconds(), 3)

    @property
    def will_be_mailed(self) -> bool:
        """Whether its owner wants mails and has an address."""
        return self.notify and bool(self.user_email)

    @property
    def email_sent_at(self) -> datetime | None:
        """When the mail went out that says how it ended; None = none went. Reads `mails`."""
        if not self.notify:
            return None
        sent = (mail.sent_at for mail in self.mails.all() if mail.kind != MailKind.REMINDER and mail.sent_at)
        return next(sent, None)

    @property
    def message(self) -> str:
        """Where it stands, as a sentence for its owner."""
        if self.status == Status.PROCESSING and not self.worker:
            return f"Try {self.attempt} of {self.max_attempts} failed; the next one comes by itself."
        if self.status == Status.PROCESSING and self.cancel_requested_at:
            return "Being cancelled…"
        return SENTENCES[Status(self.status)].format(
            percent=self.progress_percent, rows=count_of(self.exported_items, "row")
        )


class HistoryCheckpoint(models.Model):
    """A person's export that is the `number`-th of the history, counted from the oldest; `number` = n × STEP."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False)
    number = models.BigIntegerField()
    created_at = models.DateTimeField()
    export_id = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "number"], name="rowferry_unique_checkpoint")]

    def __str__(self) -> str:
        return f"{self.number} of {self.user_id}"


class Attempt(models.Model):
    """One try of one export by one worker."""

    export = models.ForeignKey(Export, on_delete=models.PROTECT, related_name="attempts", db_index=False)
    number = models.PositiveSmallIntegerField()
    fence = models.BigIntegerField()
    worker = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=32, blank=True)
    rows = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["export", "fence"], name="rowferry_unique_attempt_fence")]

    def __str__(self) -> str:
        return f"{self.export_id} try {self.number}"


class MailKind(models.TextChoices):
    """Why a mail is written; one of each for an export, at most."""

    COMPLETED = "completed"
    FAILED = "failed"
    REMINDER = "reminder"


class EmailOutbox(models.Model):
    """A mail to be sent, written in the transaction that made it due."""

    export = models.ForeignKey(Export, on_delete=models.PROTECT, related_name="mails", db_index=False)
    kind = models.CharField(max_length=16, choices=MailKind.choices)
    recipient = models.CharField(max_length=254)
    created_at = models.DateTimeField()
    next_try_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["export", "kind"], name="rowferry_unique_mail_kind")]
        indexes = [models.Index(fields=["next_try_at"], condition=Q(sent_at=None), name="rowferry_mail_due")]

    def __str__(self) -> str:
        return f"{self.kind} to {self.recipient}"


class QuotaUse(models.Model):
    """When one person last used one allowance; `taken` holds the instants (Unix seconds) within the window."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False)
    allowance = models.CharField(max_length=32)
    taken = models.JSONField(default=list)
    turn = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "allowance"], name="rowferry_unique_quota")]

    def __str__(self) -> str:
        return f"{self.allowance} of {self.user_id}"


class IdempotencyKey(models.Model):
    """Which export a client's key has made, and from which body."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False)
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    export = models.ForeignKey(Export, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="rowferry_unique_key")]

    def __str__(self) -> str:
        return self.key


class Leader(models.Model):
    """Which scheduler may act. One row a role."""

    role = models.CharField(max_length=32, primary_key=True)
    holder = models.CharField(max_length=200)
    lease_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.role}: {self.holder}"
