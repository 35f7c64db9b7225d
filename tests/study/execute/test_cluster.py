"""Nobody else on this machine can talk to the cluster: not to its scheduler, a worker, a nanny or their pages."""

import asyncio
import http.client
import multiprocessing
import os
import socket
import sys
from contextlib import suppress
from types import SimpleNamespace

import psutil
import pytest
from distributed.core import Server, connect
from distributed.security import Security

from masktune.study.execute import cluster

pytestmark = pytest.mark.slow

NOBODY = 65534
WAYS = ("plain", "a key of one's own", "the key of the cluster", "http")
TIMEOUT = 2  # an answer takes milliseconds; a server that waits for another language never gives one


def _serve(pipe) -> None:
    """A process of another user, where this one may become another: tries what it is told, says what came back."""
    asyncio.run(_rehearse())
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    pipe.send(os.getuid())
    for way, address, security in iter(pipe.recv, None):
        try:
            pipe.send(_web(address) if way == "http" else asyncio.run(_call(way, address, security)))
        except Exception as error:
            pipe.send(f"refused: {type(error).__name__}")


async def _rehearse() -> None:
    """Import all that a call needs, by making one of each kind: another user may not be able to read it any more."""
    server, security = Server({}), Security.temporary()
    await server.listen("tls://127.0.0.1:0", **security.get_listen_args("scheduler"))
    for way in WAYS[:2]:
        with suppress(Exception):
            await _call(way, server.address.partition("://")[2], security)
    assert "type" in await _call(WAYS[2], server.address.partition("://")[2], security)
    await server.close()


async def _call(way: str, address: str, security: Security) -> str:
    """Ask a process of the cluster who it is, as its own processes ask each other."""
    protocol, chosen = ("tcp", Security()) if way == "plain" else ("tls", security)
    own = Security.temporary() if way == WAYS[1] else chosen
    arguments = own.get_connection_args("client")
    comm = await asyncio.wait_for(connect(f"{protocol}://{address}", timeout=TIMEOUT, **arguments), TIMEOUT)
    try:
        await comm.write({"op": "identity", "reply": True})
        return str(await asyncio.wait_for(comm.read(), TIMEOUT))
    finally:
        comm.abort()


def _web(address: str) -> str:
    """What pages the port shows: each address that Dask's web servers know."""
    host, port = address.split(":")
    shown = []
    for page in ("/", "/info/main/workers.html", "/info/logs.html", "/json/identity.json", "/metrics", "/health"):
        connection = http.client.HTTPConnection(host, int(port), timeout=TIMEOUT)
        connection.request("GET", page)
        if connection.getresponse().status != http.client.NOT_FOUND:
            shown.append(page)
    return f"shows {shown}" if shown else "refused: no page"


@pytest.fixture(scope="module")
def intruder():
    """Forked before the cluster starts, so that it holds nothing of it."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(there,), daemon=True)
    process.start()
    user = here.recv()

    def ask(way, address, security):
        here.send((way, address, security))
        return here.recv()

    yield SimpleNamespace(user=user, ask=ask)
    here.send(None)
    process.join()


@pytest.fixture(scope="module")
def running(intruder):
    """A cluster with one worker: its key, the addresses of its processes, and every port that they listen on."""
    with cluster.local_cluster(1, {}) as client:
        known = client.scheduler_info()
        [(worker, about)] = known["workers"].items()
        places = {"scheduler": known["address"], "worker": worker, "nanny": about["nanny"]}
        own = psutil.Process()
        processes = [own, *(child for child in own.children(recursive=True) if child.username() == own.username())]
        ports = {
            connection.laddr.port
            for process in processes
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
        addresses = {name: place.partition("://")[2] for name, place in places.items()}
        yield SimpleNamespace(security=client.security, places=places, addresses=addresses, ports=ports)


def test_the_intruder_is_another_user_where_this_one_may_become_one(intruder):
    assert intruder.user == (NOBODY if os.getuid() == 0 else os.getuid())


@pytest.mark.parametrize("place", ["scheduler", "worker", "nanny"])
def test_the_processes_of_a_cluster_answer_nobody_without_its_key(running, intruder, place):
    assert running.places[place].startswith("tls://127.0.0.1:")
    answers = {way: intruder.ask(way, running.addresses[place], running.security) for way in WAYS}
    assert "type" in answers.pop("the key of the cluster")  # so that the other answers mean something
    assert [answer for answer in answers.values() if not answer.startswith("refused")] == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere ports of children are not for everyone to list")
def test_no_port_of_the_cluster_shows_a_page_or_answers_without_its_key(running, intruder):
    known = {int(address.rpartition(":")[2]) for address in running.addresses.values()}
    assert known < running.ports
    for port in running.ports:
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT):
            pass
        answers = {way: intruder.ask(way, f"127.0.0.1:{port}", None) for way in ("plain", "a key of one's own", "http")}
        assert [answer for answer in answers.values() if not answer.startswith("refused")] == []
