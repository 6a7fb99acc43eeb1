"""PostgreSQL and Redis of a test's own, on unix sockets in folders that go away."""

import os
import shutil
import signal
import subprocess
import tempfile
import time

POSTGRES = "/usr/lib/postgresql/15/bin"


def unprivileged(*command):
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return list(command)
    return ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--pdeathsig", "KILL", *command]


class Postgres:
    """One server, durable unless told otherwise."""

    def __init__(self, settings=None, template=None, folder=None):
        self.folder = folder or tempfile.mkdtemp(prefix="pw-postgres-")
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o711)
        self.settings = {
            "unix_socket_directories": self.folder, "listen_addresses": "", "shared_buffers": "64MB",
            "max_connections": "120", "log_min_messages": "warning", "wal_level": "replica", **(settings or {})}
        self.process = None
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody", "nogroup")
        if template is None:
            self._run(f"{POSTGRES}/initdb", "-D", self.data, "-U", "app", "-A", "trust", "-N", "--locale=C.UTF-8",
                      "-E", "UTF8", "-k")
        else:
            self._run(f"{POSTGRES}/pg_basebackup", "-D", self.data, "-h", template.folder, "-U", "app", "-R", "-C", "-S",
                      f"standby_{os.path.basename(self.folder).replace('-', '_').lower()}", "-c", "fast")

    @property
    def data(self):
        return self.folder + "/data"

    def _run(self, *command):
        done = subprocess.run(unprivileged(*command), capture_output=True, text=True, cwd="/")
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.stderr}{done.stdout}")
        return done.stdout

    def start(self):
        try:
            os.unlink(self.data + "/postmaster.pid")
        except FileNotFoundError:
            pass
        options = [part for name, value in sorted(self.settings.items()) for part in ("-c", f"{name}={value}")]
        with open(self.folder + "/log", "ab") as log:
            self.process = subprocess.Popen(
                unprivileged(f"{POSTGRES}/postgres", "-D", self.data, *options), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd="/")
        deadline = time.monotonic() + 60
        while subprocess.run([f"{POSTGRES}/pg_isready", "-q", "-h", self.folder], check=False).returncode != 0:
            if time.monotonic() > deadline or self.process.poll() is not None:
                with open(self.folder + "/log", errors="replace") as log:
                    raise RuntimeError("PostgreSQL did not start:\n" + log.read()[-3000:])
            time.sleep(0.02)
        return self

    def kill(self):
        """As a power cut would."""
        self.process.kill()
        self.process.wait()
        # The children of a dead postmaster hold its memory until they have noticed.
        deadline = time.monotonic() + 20
        while self._children() and time.monotonic() < deadline:
            time.sleep(0.02)

    def _children(self):
        """Its processes work in the folder of the data."""
        found = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    if os.readlink(f"/proc/{entry}/cwd") == self.data:
                        found.append(int(entry))
                except OSError:
                    pass
        return found

    def query(self, text, database="postgres"):
        return self._run(f"{POSTGRES}/psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", "app", "-d",
                         database, "-c", text).strip()

    def make_database(self, name):
        self.query(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")
        return f"postgres://app@/{name}?host={self.folder}"

    def make_standby(self, folder=None):
        """A synchronous standby: from now on every commit waits for it."""
        standby = Postgres(dict(self.settings, unix_socket_directories="", wal_retrieve_retry_interval="200ms",
                                hot_standby="on"), template=self, folder=folder)
        standby.settings["unix_socket_directories"] = standby.folder
        standby.start()
        self.query("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.query("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 60
        while "sync" not in self.query("SELECT sync_state FROM pg_stat_replication"):
            if time.monotonic() > deadline:
                raise RuntimeError("the standby did not become synchronous")
            time.sleep(0.05)
        return standby

    def promote(self):
        self.query("SELECT pg_promote(true, 60)")

    def remove(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Redis:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="pw-redis-")
        self.socket = self.folder + "/redis.sock"
        self.address = f"redis+unix://{self.socket}"
        self.process = None

    def start(self):
        try:
            os.unlink(self.socket)
        except FileNotFoundError:
            pass
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "redis-server", "--port", "0", "--unixsocket", self.socket, "--dir",
             self.folder, "--save", "", "--appendonly", "no"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not os.path.exists(self.socket):
            if time.monotonic() > deadline:
                raise RuntimeError("redis-server did not start")
            time.sleep(0.01)
        return self

    def ask(self, *words):
        return subprocess.run(["redis-cli", "-s", self.socket, *words], capture_output=True, text=True, timeout=20).stdout

    def kill(self):
        self.process.kill()
        self.process.wait()

    def freeze(self, is_frozen):
        self.process.send_signal(signal.SIGSTOP if is_frozen else signal.SIGCONT)

    def remove(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
