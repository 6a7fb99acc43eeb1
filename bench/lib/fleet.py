"""A small fleet on this machine: a coordinator, a worker host and a serving host, each with a folder of its own.

Unlike `pagewright up`, worker and serving host share nothing, so that whatever one made has to travel to the other.
"""

import json
import os
import signal
import socket
import subprocess


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Fleet:
    def __init__(self, programs, folder, worker=()):
        """`worker` are options of the worker's agent."""
        self.programs = programs
        self.folder = folder
        self.worker = worker
        self.running = []

    def _path(self, program):
        return os.path.join(self.programs, program)

    def _run(self, program, *arguments):
        result = subprocess.run(
            [self._path(program), *arguments, "--json"], capture_output=True, text=True, timeout=60)
        if result.returncode != 0:
            raise RuntimeError(f"{program} {arguments[0]} failed: {result.stderr}")
        return json.loads(result.stdout)

    def _start(self, name, program, *arguments):
        """Starts a program and returns the line with which it says that it is ready."""
        with open(f"{self.folder}/{name}.log", "ab") as log:
            process = subprocess.Popen(
                [self._path(program), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True, text=True)
        self.running.append((name, process))
        line = process.stdout.readline()
        if '"ready"' not in line:
            raise RuntimeError(f"{name} did not start:\n{self.log_tails()}")
        return json.loads(line)

    def start(self):
        self.sites_port = free_port()
        ready = self._start(
            "coordinator", "pagewright-coordinator", "serve", "--state", f"{self.folder}/coordinator", "--listen",
            "127.0.0.1", "--port", "0", "--agents-port", "0", "--sites-domain", "localhost", "--sites-port",
            str(self.sites_port))
        self.api = ready["api"]
        self.hosts = {}
        for role in ("worker", "serving"):
            state = f"{self.folder}/{role}"
            token = self._run(
                "pagewright-coordinator", "invite", "--state", f"{self.folder}/coordinator", "--roles", role)["token"]
            self._run(
                "pagewright-agent", "join", "--coordinator", ready["agents"], "--token", token, "--state", state,
                "--name", role)
            self.hosts[role] = self._start(
                role, "pagewright-agent", "run", "--state", state, "--sites-listen", f"127.0.0.1:{self.sites_port}",
                *((*self.worker, *self._without_browser()) if role == "worker" else ()))

    def _without_browser(self):
        """Pages are looked at after the results; that would only take the cores from what is measured next."""
        known = subprocess.run(
            [self._path("pagewright-agent"), "run", "--help"], capture_output=True, text=True, timeout=60).stdout
        return ("--browser", "off") if "path|off" in known and "--browser" not in self.worker else ()

    @property
    def pids(self):
        return {name: process.pid for name, process in self.running}

    def stop(self):
        """The hosts before the coordinator; what does not go within a while is killed."""
        while self.running:
            _, process = self.running.pop()
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def log_tails(self, lines=15):
        text = ""
        for name, _ in self.running:
            with open(f"{self.folder}/{name}.log", errors="replace") as log:
                text += f"--- {name}\n" + "".join(log.readlines()[-lines:])
        return text
