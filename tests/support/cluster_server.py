"""A real Redis Cluster of three masters with a replica each: Debian's redis-server on free ports of this machine."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis as sync_redis
from attrs import frozen

from eventflow.log.cluster import slot_of
from tests.support.log_server import dies_with_parent
from tests.support.s3_servers import free_port
from tests.support.waiting import wait_until_sync

MASTERS = 3
#: Silence after which a master is failed over, in ms.
NODE_TIMEOUT_MS = 2_000
_START_S = 60.0


@frozen
class RedisPrograms:
    """Paths of the two programs; fixtures of tests/support/debian.py give them."""

    server: str
    cli: str


class ClusterServer:
    """Masters can be killed and started again; `url` names two of the nodes."""

    def __init__(self, programs: RedisPrograms, folder: Path, *, node_timeout_ms: int = NODE_TIMEOUT_MS) -> None:
        self._programs, self._folder, self._node_timeout_ms = programs, folder, node_timeout_ms
        self.ports = [free_port() for _ in range(2 * MASTERS)]
        self.url = f"redis+cluster://127.0.0.1:{self.ports[0]},127.0.0.1:{self.ports[1]}/"
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Until every node says that all slots are served, and every replica follows its master."""
        for port in self.ports:
            self.start_node(port)
        nodes = [f"127.0.0.1:{port}" for port in self.ports]
        create = [self._programs.cli, "--cluster", "create", *nodes, "--cluster-replicas", "1", "--cluster-yes"]
        made = subprocess.run(create, capture_output=True, text=True, timeout=_START_S, check=False)
        if made.returncode:
            raise RuntimeError(made.stdout + made.stderr)
        self.wait_whole()

    def start_node(self, port: int) -> None:
        folder = self._folder / str(port)
        folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "port": port,
            "cluster-port": free_port(),
            "bind": "127.0.0.1",
            "dir": folder,
            "cluster-enabled": "yes",
            "cluster-node-timeout": self._node_timeout_ms,
            "appendonly": "yes",
            "save": "",
            "repl-diskless-sync-delay": 0,
        }
        command = [
            self._programs.server,
            *(str(part) for name, value in settings.items() for part in (f"--{name}", value)),
        ]
        with (folder / "redis.log").open("ab") as log:
            self._processes[port] = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=dies_with_parent)
        wait_until_sync(lambda: self._answers(port), _START_S, what=f"the node on port {port}")

    def _answers(self, port: int) -> bool:
        with contextlib.suppress(sync_redis.RedisError), self._client(port) as client:
            return bool(client.ping())
        return False

    def wait_whole(self) -> None:
        wait_until_sync(lambda: all(map(self._is_whole, self.ports)), _START_S, what="a whole cluster")

    def _is_whole(self, port: int) -> bool:
        with self._client(port) as client:
            state: Any = client.execute_command("CLUSTER INFO")
            replication: Any = client.info("replication")
        followed = replication.get("connected_slaves") if replication["role"] == "master" else 1
        linked = replication.get("master_link_status", "up") == "up"
        return state["cluster_state"] == "ok" and followed == 1 and linked

    def masters(self) -> list[int]:
        """The ports of the masters, as the living nodes see it."""
        return sorted({int(master[1]) for _, _, master, *_ in self._slots()})

    def master_of(self, key: str) -> int:
        """The port of the master that has `key` now, as the living nodes see it."""
        return next(int(master[1]) for first, last, master, *_ in self._slots() if first <= slot_of(key) <= last)

    def change_places(self, key: str) -> None:
        """Make the replica of the master that has `key` the master, without a loss."""
        slot, before = slot_of(key), self.master_of(key)
        (_, replica) = wait_until_sync(lambda: self._pair_of(slot), _START_S, what="a master and its replica")

        def changed() -> bool:
            with self._client(replica) as client:
                if client.info("replication")["role"] == "slave":  # the others may be too busy to vote: ask again
                    client.execute_command("CLUSTER FAILOVER")
            return self.master_of(key) != before

        wait_until_sync(changed, _START_S, what="a new master")
        self.wait_whole()

    def _pair_of(self, slot: int) -> list[int]:
        """The ports of the slot's master and replica; empty where the node that was asked doesn't know both."""
        nodes = next(nodes for first, last, *nodes in self._slots() if first <= slot <= last)
        return [int(node[1]) for node in nodes] if len(nodes) == 2 else []

    def _slots(self) -> Any:
        """Rows of (first slot, last slot, master, replicas...), from any living node."""
        port = next(port for port, process in self._processes.items() if process.poll() is None)
        with self._client(port) as client:
            return client.execute_command("CLUSTER SLOTS")

    def kill(self, port: int) -> None:
        """SIGKILL, as a crash would be."""
        process = self._processes.pop(port)
        process.kill()
        process.wait()

    def pause(self, port: int) -> None:
        """It takes connections, and answers nothing."""
        self._processes[port].send_signal(signal.SIGSTOP)

    def resume(self, port: int) -> None:
        self._processes[port].send_signal(signal.SIGCONT)

    def stop(self) -> None:
        for port in list(self._processes):
            self.kill(port)

    def _client(self, port: int) -> sync_redis.Redis:
        return sync_redis.Redis(port=port, socket_timeout=2)


@contextlib.contextmanager
def cluster_server(programs: RedisPrograms, folder: Path, **options: int) -> Iterator[ClusterServer]:
    cluster = ClusterServer(programs, folder, **options)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
