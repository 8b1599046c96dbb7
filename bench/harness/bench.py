# SPDX-License-Identifier: BSD-2-Clause
"""What is running during a run of the bench."""
import os
import tempfile

from . import load, process, setups
from .error import BenchError

IDLE_SESSIONS = 9000
STALLED_SESSIONS = 200


class Bench:
    """The server of the load generator, and one process for each set-up, all started once, before the first sample."""

    def __init__(self, options, descriptors, every=setups.every):
        self.options = options
        self.setups = [setup for setup in every() if setup.name in options.only]
        # A session takes two of the proxy's descriptors.
        self.idle_sessions = 200 if options.quick else min(IDLE_SESSIONS, descriptors * 9 // 20)
        self.stalled_sessions = 20 if options.quick else STALLED_SESSIONS
        self._descriptors = descriptors
        self._running = {}

    def __enter__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="weir-bench-")
        name = self._directory.name
        self.children = process.Children(name)
        self.place = setups.Place(self.options.build, name, self.options.proxy_core, self._descriptors)
        self.load = load.Load(self.place.built("bench", "load"), self.children, self.options.load_core)
        try:
            self.upstream = self.load.serve()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.children.__exit__()
        self._directory.cleanup()

    def start(self, say):
        """Starts every set-up; what this machine cannot have is named and left out."""
        for setup in list(self.setups):
            try:
                setup.check()
                self.proxy(setup)
            except BenchError as error:
                say(f"without {setup.name}: {error}")
                self.setups.remove(setup)

    def proxy(self, setup):
        """The running process of a set-up. One that died is reported with its sample, and started again here."""
        running = self._running.get(setup.name)
        if running is None or not running.alive:
            running = setup.start(self.place, self.children, self.upstream)
            self._running[setup.name] = running
        return running


def default_build(top):
    """The build tree: here, or where ./bootstrap makes it."""
    here = os.getcwd()
    return here if os.path.exists(os.path.join(here, "src", "weir")) else os.path.join(top, "build")
