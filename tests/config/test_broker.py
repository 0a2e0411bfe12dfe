"""The queue that is configured, a folder or a server, takes messages and gives them back whole."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

from config import broker
from config.celery import app


def test_a_message_goes_through_the_configured_queue() -> None:
    with app.connection_for_write() as connection:
        queue = connection.SimpleQueue(f"test-{uuid.uuid4()}", queue_opts={"auto_delete": True})
        queue.put({"id": 7})
        message = queue.get(timeout=10)
        message.ack()
        queue.queue.delete()
        queue.close()
    assert message.payload == {"id": 7}


def test_a_message_in_the_folder_appears_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    write = Path.write_text

    def watched(path: Path, text: str, **options: Any) -> int:
        seen.append([p.name for p in tmp_path.glob("*.msg")])
        written = write(path, text, **options)
        seen.append([p.name for p in tmp_path.glob("*.msg")])
        return written

    monkeypatch.setattr(broker.Path, "write_text", watched)
    folders = {"data_folder_in": str(tmp_path), "data_folder_out": str(tmp_path), "control_folder": str(tmp_path / "c")}
    with Connection("filesystem://localhost//", transport_options=folders) as connection:
        queue = connection.SimpleQueue("work")
        queue.put({"id": 1})
        assert len(list(tmp_path.glob("*.work.msg"))) == 1
        message = queue.get(timeout=10)
        message.ack()
        assert message.payload == {"id": 1}
        queue.close()
    assert seen == [[], []]
    assert list(tmp_path.glob("*.draft")) == []
