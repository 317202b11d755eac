"""``serve`` as a process: ready, stopped by a signal with requests at hand, a port in use, several districts, WSGI."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

from tests.api.conftest import FIRST, SECOND
from tests.api.process import PROGRAM, gateway, served


def bearer(folder: Path, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {gateway(folder, 'keys', 'create', name)['key']}"}


@pytest.mark.slow
def test_a_server_over_two_districts_answers_what_is_at_hand_and_stops(district_files):
    folders = [path.parent for path in district_files]
    first, second = (bearer(folder, "served") for folder in folders)
    with served(folders[0], files=district_files) as server:
        assert requests.get(f"{server.address}/health/ready", timeout=200).json() == {"status": "ok"}
        idle = requests.Session()
        for headers in (first, second):
            assert idle.get(f"{server.address}/v1/mappings", headers=headers, timeout=200).status_code == 200

        upload = socket.create_connection(("127.0.0.1", int(server.address.rsplit(":", 1)[1])), timeout=200)
        body = b"student_id,score,scored_at,standard\ns1,3,2026-10-01,MATH.1\n"
        head = "POST /v1/mapping-jobs?mapping=lakeside HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
        head += f"Authorization: {first['Authorization']}\r\nContent-Length: {len(body)}\r\n"
        upload.sendall(head.encode() + b"Expect: 100-continue\r\n\r\n")
        assert upload.recv(25, socket.MSG_WAITALL) == b"HTTP/1.1 100 Continue\r\n\r\n"  # now it is at hand
        upload.sendall(body[:20])
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        with pytest.raises(requests.ConnectionError):
            while True:
                requests.get(f"{server.address}/health/live", timeout=200)
        upload.sendall(body[20:])
        assert upload.recv(15, socket.MSG_WAITALL) == b"HTTP/1.1 202 AC"
        stopping.join()
        assert server.process.returncode == 0
        upload.close()
        idle.close()
        lines = server.lines()
    assert lines[-1]["message"] == "The API has stopped."
    told = [line for line in lines if line["message"] == "A request was answered."]
    assert {line.get("district") for line in told} == {None, FIRST, SECOND}
    (job,) = [line for line in told if line["method"] == "POST"]
    assert (job["route"], job["status"]) == ("/v1/mapping-jobs", 202)
    assert job["client"].startswith("client_") and job["milliseconds"] > 0 and len(job["request"]) == 36


def test_a_port_in_use_is_told_plainly(district_files):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [PROGRAM, "serve", "--port", str(port), str(district_files[0])]
        done = subprocess.run(command, capture_output=True, text=True, cwd=district_files[0].parent)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"Nothing can listen on 127.0.0.1, port {port}: another program listens there already.",
        "Choose another --port or --host.",
    ]


UNDER_WSGIREF = """
import json, threading, urllib.request
from wsgiref.simple_server import WSGIRequestHandler, make_server
from gateway.api.wsgi import application

class Quiet(WSGIRequestHandler):
    def log_message(self, *_): pass

with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    print(json.load(urllib.request.urlopen(f"{address}/health/ready"))["status"])
    print(json.load(urllib.request.urlopen(f"{address}/v1/openapi.json"))["openapi"])
    server.shutdown()
"""


def test_any_wsgi_server_can_serve_the_application(district_files):
    environment = {**os.environ, "MASTERY_GATEWAY_DISTRICTS": os.pathsep.join(map(str, district_files))}
    done = subprocess.run([sys.executable, "-c", UNDER_WSGIREF], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["ok", "3.1.0"], done.stderr
