"""Every table of the engine."""

from rowferry.exports.models.audit_log import AuditAnchor as AuditAnchor
from rowferry.exports.models.audit_log import Event as Event
from rowferry.exports.models.audit_log import ExportLog as ExportLog
from rowferry.exports.models.counter import Counter as Counter
from rowferry.exports.models.counter import CounterDelta as CounterDelta
from rowferry.exports.models.export import Attempt as Attempt
from rowferry.exports.models.export import EmailOutbox as EmailOutbox
from rowferry.exports.models.export import Export as Export
from rowferry.exports.models.export import HistoryCheckpoint as HistoryCheckpoint
from rowferry.exports.models.export import IdempotencyKey as IdempotencyKey
from rowferry.exports.models.export import Leader as Leader
from rowferry.exports.models.export import MailKind as MailKind
from rowferry.exports.models.export import Mode as Mode
from rowferry.exports.models.export import QuotaUse as QuotaUse
from rowferry.exports.models.export import Status as Status
from rowferry.exports.models.mode_reason import ModeReason as ModeReason
from rowferry.exports.models.mode_reason import ReasonCode as ReasonCode
from rowferry.exports.models.worker_ping import WorkerPing as WorkerPing
