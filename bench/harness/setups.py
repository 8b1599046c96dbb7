# SPDX-License-Identifier: BSD-2-Clause
"""How every proxy is configured and started: one process, one thread, no access log, timeouts of an hour."""
import contextlib
import dataclasses
import functools
import os
import re
import shutil
import subprocess

from . import process
from .error import BenchError, Missing

WEIR = """\
[weir]
workers = 1
log_level = warning
[listener bench]
listen = 127.0.0.1:{port}
upstream = 127.0.0.1:{upstream}
"""

HAPROXY = """\
global
    nbthread 1
    maxconn {sessions}
    maxpipes {pipes}
{tuning}
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
{options}
listen bench
    bind 127.0.0.1:{port}
    server upstream 127.0.0.1:{upstream}
"""

NGINX = """\
{module}
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {directory}/nginx.pid;
error_log stderr error;
events {{
    worker_connections {descriptors};
}}
stream {{
    proxy_timeout 1h;
{options}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        proxy_pass 127.0.0.1:{upstream};
    }}
}}
"""

SPLICE_TUNING = "    tune.pipesize 1048576"
SPLICE_OPTIONS = "    option splice-request\n    option splice-response"


@dataclasses.dataclass(frozen=True)
class Place:
    """Where programs are, and what they may use."""

    build: str
    directory: str
    core: int
    descriptors: int

    def built(self, *names):
        return os.path.join(self.build, *names)

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="ascii") as stream:
            stream.write(text)
        return path


@dataclasses.dataclass
class Proxy:
    """A running set-up. direct has no process."""

    name: str
    port: int
    child: object = None

    @property
    def pids(self):
        return [self.child.pid] if self.child else []

    @property
    def alive(self):
        return self.child is None or self.child.poll() is None


def _weir(extra, name, place, children, upstream):
    def command(port):
        path = place.write(f"{name}.{port}.ini", WEIR.format(port=port, upstream=upstream) + extra)
        return [place.built("src", "weir"), "-f", path, "--module-dir", place.built("policies", ".libs")]

    return process.start_listening(children, place.core, command)


def weir(name, what, extra):
    """weir with more in its [listener] section, and sections behind that."""
    return Setup(name, what, functools.partial(_weir, extra))


def _haproxy(tuning, options, name, place, children, upstream):
    # A session takes two descriptors, a pipe two: leave some for the rest.
    sessions = int(place.descriptors * 0.46)
    pipes = max(10, (place.descriptors - 2 * sessions) // 2 - 50)

    def command(port):
        values = {"port": port, "upstream": upstream, "sessions": sessions, "pipes": pipes}
        text = HAPROXY.format(tuning=tuning, options=options, **values)
        return ["haproxy", "-db", "-f", place.write(f"{name}.{port}.cfg", text)]

    return process.start_listening(children, place.core, command)


def _stream_module():
    """The line that loads nginx's stream module; empty where it is built in."""
    built = subprocess.run(["nginx", "-V"], stderr=subprocess.PIPE, check=False, text=True).stderr
    if re.search(r"--with-stream(\s|$)", built):
        return ""
    found = re.search(r"--modules-path=(\S+)", built)
    path = os.path.join(found.group(1) if found else "/usr/lib/nginx/modules", "ngx_stream_module.so")
    if not os.path.exists(path):
        raise Missing("nginx's stream module", "libnginx-mod-stream")
    return f"load_module {path};"


def _nginx(options, name, place, children, upstream):
    module = _stream_module()

    def command(port):
        values = {"port": port, "upstream": upstream, "descriptors": place.descriptors, "directory": place.directory}
        text = NGINX.format(module=module, options=options, **values)
        return ["nginx", "-e", "stderr", "-p", place.directory, "-c", place.write(f"{name}.{port}.conf", text)]

    return process.start_listening(children, place.core, command)


def _relay(mode, _name, place, children, upstream):
    command = [place.built("bench", "relay"), "--to", str(upstream), "--mode", mode]
    child = children.start(command, place.core, stdout=subprocess.PIPE, bufsize=0)
    return child, int(process.read_line(child, 30))


@dataclasses.dataclass(frozen=True)
class Setup:
    """One way to get from the client to the server."""

    name: str
    what: str
    launch: object = None
    program: str = ""
    package: str = ""

    def check(self):
        """Raises if it cannot be had on this machine."""
        if self.program and shutil.which(self.program) is None:
            raise Missing(self.program, self.package)
        if self.program == "nginx":
            _stream_module()

    def start(self, place, children, upstream):
        if self.launch is None:
            return Proxy(self.name, upstream)
        child, port = self.launch(self.name, place, children, upstream)
        return Proxy(self.name, port, child)

    @contextlib.contextmanager
    def fresh(self, place, children, upstream):
        """A process of its own, which has seen nothing yet."""
        proxy = self.start(place, children, upstream)
        try:
            yield proxy
            if not proxy.alive:
                raise BenchError(f"{self.name} died: {process.said(proxy.child)}")
        finally:
            if proxy.child:
                children.stop(proxy.child)


def every():
    """All set-ups, in the order of the tables."""
    haproxy = functools.partial(Setup, program="haproxy", package="haproxy")
    nginx = functools.partial(Setup, program="nginx", package="nginx-light libnginx-mod-stream")
    return (
        Setup("direct", "no proxy at all"),
        weir("weir", "weir with its defaults, one worker", ""),
        weir("weir-none", "weir with policy = none", "policy = none\n"),
        haproxy("haproxy", "haproxy as people run it", functools.partial(_haproxy, "", "")),
        haproxy(
            "haproxy-splice",
            "haproxy at its strongest: option splice-request and splice-response, tune.pipesize 1048576",
            functools.partial(_haproxy, SPLICE_TUNING, SPLICE_OPTIONS),
        ),
        nginx("nginx", "nginx stream as people run it", functools.partial(_nginx, "")),
        nginx(
            "nginx-128k",
            "nginx stream with proxy_buffer_size 128k",
            functools.partial(_nginx, "    proxy_buffer_size 128k;"),
        ),
        Setup("relay-copy", "the bare epoll relay of this bench, copying", functools.partial(_relay, "copy")),
        Setup("relay-splice", "the same, splicing", functools.partial(_relay, "splice")),
    )
