"""The embedded broker: a Maildir-like folder as a kombu transport. Broker URL: `spool:///absolute/folder`.

Needs no server. Safe against kill -9 of anybody at any time: a message that was not acknowledged is handed out again.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.connection import Connection
from kombu.transport import virtual
from kombu.utils.json import dumps, loads

from rowferry.filesystem_broker.folder import Claim, QueueFolder
from rowferry.filesystem_broker.place import spool_folder

POLLING_SECONDS = 0.1


class QoS(virtual.QoS):
    """kombu's list of delivered messages, with each end of a message carried to disk."""

    def ack(self, delivery_tag: str) -> None:
        self.channel.forget(delivery_tag)
        super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if not requeue:
            self.channel.forget(delivery_tag)
        super().reject(delivery_tag, requeue=requeue)


class Channel(virtual.Channel):
    """A channel over the folder. A message's delivery tag is `QUEUE/FILE`, so there is no table of them to lose."""

    QoS = QoS

    def __init__(self, connection: Transport, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        self._root = connection.folder()
        self._claims: dict[str, Claim] = {}

    def _queue(self, name: str) -> QueueFolder:
        return QueueFolder(self._root, name)

    def _claim(self, queue: str) -> Claim:
        if queue not in self._claims:
            self._claims[queue] = Claim(self._queue(queue))
        return self._claims[queue]

    def _new_queue(self, queue: str, **_: Any) -> None:
        self._queue(queue).make()

    def _has_queue(self, queue: str, **_: Any) -> bool:
        return self._queue(queue).dead.is_dir()

    def _size(self, queue: str) -> int:
        return self._queue(queue).size()

    def _purge(self, queue: str) -> int:
        return self._queue(queue).purge()

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        content = dumps(message).encode()
        try:
            self._queue(queue).put(content)
        except FileNotFoundError:
            self._new_queue(queue)
            self._queue(queue).put(content)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        claim = self._claim(queue)
        for name, path in claim.take():
            try:
                return self._decode_message(path.read_bytes(), f"{queue}/{name}")
            except Exception as error:  # whatever is wrong with one file must not stop the consumer
                claim.bury(name, error)
        raise Empty

    def _decode_message(self, content: bytes, tag: str) -> dict[str, Any]:
        """The message in a file, read now the way kombu will read it: there, an error would end the worker."""
        message: dict[str, Any] = loads(content)
        properties = message["properties"]
        properties |= {"delivery_tag": tag, "delivery_info": dict(properties["delivery_info"])}
        if not isinstance(message["body"], str) or not isinstance(message["headers"], dict):
            raise TypeError("the body is no text or the headers are no table")
        self.Message(message, channel=self)
        return message

    def _lookup(self, exchange: str, routing_key: str, default: str | None = None) -> list[str]:
        """kombu drops what it finds no queue for; here it goes to the queue of that name."""
        queues: list[str] = super()._lookup(exchange, routing_key, default or routing_key)
        return queues

    def _restore(self, message: virtual.Message) -> None:
        self._settle(message.delivery_tag, Claim.requeue)

    def forget(self, tag: str) -> None:
        """The message is dealt with: nobody shall get it again."""
        self._settle(tag, Claim.finish)

    def _settle(self, tag: str, action: Callable[[Claim, str], None]) -> None:
        queue, _, name = tag.rpartition("/")
        if queue in self._claims:
            action(self._claims[queue], name)

    def basic_get(self, queue: str, no_ack: bool = False, **kwargs: Any) -> virtual.Message | None:
        message: virtual.Message | None = super().basic_get(queue, no_ack=no_ack, **kwargs)
        if message is not None and no_ack:
            self.forget(message.delivery_tag)
        return message

    def basic_consume(
        self, queue: str, no_ack: bool, callback: Callable[[virtual.Message], Any], *args: Any, **kwargs: Any
    ) -> None:
        def acknowledge_first(message: virtual.Message) -> Any:
            self.forget(message.delivery_tag)
            return callback(message)

        super().basic_consume(queue, no_ack, acknowledge_first if no_ack else callback, *args, **kwargs)

    def close(self) -> None:
        super().close()
        while self._claims:
            self._claims.popitem()[1].close()


class Transport(virtual.Transport):
    """What `spool://` stands for.

    It works in Celery's event loop, because there each process of the pool has a pipe of its own. Without the loop they
    share one, and a lock on it, which a process that is killed keeps for ever: nobody else would get any work.
    """

    Channel = Channel
    implements = virtual.Transport.implements.extend(asynchronous=True)
    polling_interval = POLLING_SECONDS
    driver_type = driver_name = "spool"
    connection_errors = (*virtual.Transport.connection_errors, OSError)  # type: ignore[assignment]

    client: Connection

    @property
    def default_connection_params(self) -> dict[str, Any]:
        """Nothing: kombu would put in a host, and a folder has none."""
        return {}

    def driver_version(self) -> str:
        return "1"

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """Look for messages again and again, between whatever else the loop does; a folder has no end to wait at."""

        def poll() -> None:
            with suppress(TimeoutError):
                while True:
                    self.drain_events(connection, timeout=0)

        loop.call_repeatedly(self.polling_interval, poll)

    def folder(self) -> Path:
        """Where this connection's queues lie; ImproperlyConfigured when they cannot lie there."""
        return spool_folder(self.client.hostname, self.client.virtual_host)
