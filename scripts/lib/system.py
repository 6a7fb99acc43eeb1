"""A whole Pagewright on this machine, as `pagewright up` runs it, in a folder that goes away."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def programs(scratch=".build", configuration="debug"):
    """The folder with the three programs that were built."""
    folder = os.path.join(ROOT, scratch, configuration)
    for name in ("pagewright", "pagewright-coordinator", "pagewright-agent"):
        if not os.access(os.path.join(folder, name), os.X_OK):
            raise SystemExit(f"{folder}/{name} is missing; build it first: make build")
    return folder


class System:
    """Starts it, says where everything is, and stops it."""

    def __init__(self, folder, state=None, options=()):
        self.folder = folder
        self.temporary = None if state else tempfile.mkdtemp(prefix="pagewright-")
        if self.temporary:
            os.chmod(self.temporary, 0o711)  # nginx's workers pass through it
        self.state = state or os.path.join(self.temporary, "state")
        self.options = list(options)
        self.process = None

    def start(self, timeout=120):
        """Returns the addresses, as `up --json` prints them."""
        self.process = subprocess.Popen(
            [os.path.join(self.folder, "pagewright"), "up", "--state", self.state, "--port", "0", "--agents-port", "0",
             "--sites-port", "0", "--json", *self.options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = []
        reader = threading.Thread(target=lambda: said.extend(self.process.stderr), daemon=True)
        reader.start()
        watchdog = threading.Timer(timeout, self.process.terminate)
        watchdog.start()
        line = self.process.stdout.readline()
        watchdog.cancel()
        if not line:
            self.process.wait()
            reader.join(5)
            raise RuntimeError("`pagewright up` did not start:\n" + "".join(said))
        self.addresses = json.loads(line)
        self.sites_port = int(self.addresses["sites"].rsplit(":", 1)[1])
        return self.addresses

    def stop(self, timeout=60):
        """Stops it as Ctrl-C would; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                return None
        return self.process.returncode

    def kill_leftovers(self):
        for pid in getattr(self, "addresses", {}).get("pids", {}).values():
            if process_exists(pid):
                os.kill(pid, signal.SIGKILL)

    def remove(self):
        if self.temporary:
            subprocess.run(["chmod", "-R", "u+rwX", self.temporary], check=False)
            shutil.rmtree(self.temporary, ignore_errors=True)

    def agent(self, *arguments):
        """What `pagewright-agent … --json` says, and its exit code."""
        result = subprocess.run(
            [os.path.join(self.folder, "pagewright-agent"), *arguments, "--state", self.state + "/agent", "--json"],
            capture_output=True, text=True, timeout=30)
        return (json.loads(result.stdout) if result.stdout.strip() else None), result.returncode

    def log_tails(self, lines=20):
        text = ""
        for name in ("coordinator", "agent"):
            path = f"{self.state}/log/{name}.log"
            if os.path.exists(path):
                with open(path, errors="replace") as log:
                    text += f"--- {path}\n" + "".join(log.readlines()[-lines:])
        return text


class Visitor:
    """A browser that believes that every site is on this machine."""

    def __init__(self, port):
        self.port = port
        self._connection = None

    def get(self, host, path="/"):
        """Returns (status, headers, body)."""
        for attempt in (1, 2):
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                self._connection.request("GET", path, headers={"Host": f"{host}:{self.port}"})
                response = self._connection.getresponse()
                body = response.read()
                if response.will_close:
                    self._connection = None
                return response.status, response.headers, body
            except (http.client.HTTPException, ConnectionError):
                self._connection = None
                if attempt == 2:
                    raise


def process_exists(pid):
    """Whether the process runs; one that only waits to be reaped does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def start_time(pid):
    """When the process started, in the kernel's own count: with the id it names one process for ever."""
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[19]


def children(pid):
    """The ids of the direct children."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    if stat.read().rsplit(")", 1)[1].split()[1] == str(pid):
                        found.append(int(entry))
            except OSError:
                pass
    return sorted(found)


def resident_bytes(pid):
    """The memory that a process holds in RAM."""
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0


def milliseconds(seconds):
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.1f} s"


def now():
    return time.monotonic()
