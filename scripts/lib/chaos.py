"""A small fleet of real processes that can be hurt, and a ledger that judges what came of it."""

import collections
import hashlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid

from api import Refused
from system import process_exists

OVER = {"succeeded", "failed", "cancelled", "dead"}


def now():
    return time.monotonic()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def all_processes():
    """Of every process its parent, and its command."""
    parents, commands = {}, {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as stat:
                    head, tail = stat.read().rsplit(")", 1)
                parents[int(entry)] = int(tail.split()[1])
                commands[int(entry)] = head.split("(", 1)[1]
            except OSError:
                pass
    return parents, commands


def below(top, parents, commands):
    """All processes below one, the deepest last: (pid, command)."""
    found, open_ = [], [top]
    while open_:
        parent = open_.pop(0)
        children = [pid for pid, above in parents.items() if above == parent]
        found += [(pid, commands[pid]) for pid in children]
        open_ += children
    return found


class Waited(Exception):
    """Something did not happen in time."""


class Fleet:
    """One coordinator, a worker host and a serving host, each a process of its own that can die and come back."""

    def __init__(self, programs):
        self.programs = programs
        self.database = []
        self.coordinator_options = []
        self.folder = tempfile.mkdtemp(prefix="pagewright-chaos-")
        self.api_port, self.agents_port, self.sites_port = free_port(), free_port(), free_port()
        self.processes = {}
        self.down = set()           # stopped on purpose
        self.deaths = collections.Counter()
        self.died_at = None
        self.environment = {}
        self.prefix = {}
        self.agent_options = collections.defaultdict(list)
        self.log_starts = {}        # where in its log a program began
        self.addresses = {}         # where an agent looks for the coordinator, when not at 127.0.0.1

    def use(self, database, redis):
        """Keeps the truth and the hints in these, before anything is started."""
        self.database = ["--database", database]
        self.coordinator_options = [*self.database, "--redis", redis]

    def _spawn(self, name, program, arguments):
        environment = dict(os.environ, **self.environment.get(name, {}))
        environment.pop("PAGEWRIGHT_FAULT", None)
        environment["PAGEWRIGHT_FAULT_FILE"] = self.order(name)
        with open(f"{self.folder}/{name}.log", "ab") as log:
            self.log_starts[name] = log.tell()
            self.processes[name] = subprocess.Popen(
                [*self.prefix.get(name, []), os.path.join(self.programs, program), *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)

    def order(self, name):
        return f"{self.folder}/{name}.order"

    def arm(self, name, step, victim=None, signal_number=signal.SIGKILL):
        """The next time that `name` comes to the step it gets the signal, or `victim` does."""
        text = f"{step} {self.pid(victim or name)}"
        if signal_number != signal.SIGKILL:
            text += f" {int(signal_number)}"
        with open(self.order(name) + ".new", "w") as order:
            order.write(text + "\n")
        os.replace(self.order(name) + ".new", self.order(name))

    def disarm(self, name):
        """Whether the order had not been obeyed."""
        try:
            os.unlink(self.order(name))
            return True
        except FileNotFoundError:
            return False

    def start_coordinator(self):
        self._spawn("coordinator", "pagewright-coordinator", [
            "serve", "--state", self.folder + "/coordinator", "--port", str(self.api_port), "--agents-port",
            str(self.agents_port), "--sites-port", str(self.sites_port), *self.coordinator_options])

    def start_agent(self, name):
        self._spawn(name, "pagewright-agent", [
            "run", "--state", f"{self.folder}/{name}", "--coordinator", self.address(name),
            "--sites-listen", f"127.0.0.1:{self.sites_port}", "--browser", "off", *self.agent_options[name]])

    def start(self, name):
        self.down.discard(name)
        self.start_coordinator() if name == "coordinator" else self.start_agent(name)

    def address(self, name):
        return f"{self.addresses.get(name, '127.0.0.1')}:{self.agents_port}"

    def join(self, name, role):
        said = subprocess.run(
            [os.path.join(self.programs, "pagewright-coordinator"), "invite", "--state", self.folder + "/coordinator",
             "--roles", role, "--json", *self.database], capture_output=True, text=True, timeout=60)
        token = json.loads(said.stdout)["token"]
        subprocess.run(
            [os.path.join(self.programs, "pagewright-agent"), "join", "--coordinator", self.address(name),
             "--token", token, "--state", f"{self.folder}/{name}"], check=True, capture_output=True, timeout=60)

    def is_ready(self, name):
        """Whether the program said so since it was started; that it is connected may be known of the one before it."""
        with open(f"{self.folder}/{name}.log", errors="replace") as log:
            log.seek(self.log_starts[name])
            return '"event":"ready"' in log.read()

    def pid(self, name):
        return self.processes[name].pid

    def kill(self, name):
        self.processes[name].kill()
        self.processes[name].wait()

    def stop(self, name, timeout=30):
        self.down.add(name)
        process = self.processes[name]
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def restart(self, name):
        self.stop(name)
        self.start(name)

    def revive(self):
        """Starts again what has died; says what."""
        revived = []
        for name, process in list(self.processes.items()):
            if process.poll() is not None and name not in self.down:
                self.deaths[name] += 1
                self.died_at = now()
                self.start(name)
                revived.append(name)
        return revived

    def is_obeyed(self, name):
        """Whether the step was reached for which `name` has an order."""
        return not os.path.exists(self.order(name))

    def children(self, name):
        """All processes below one, the deepest last: (pid, command)."""
        return below(self.pid(name), *all_processes())

    def tasks(self, name):
        """The running tasks of a worker: (the shim, all processes below it). Shims are nobody's children."""
        home = os.path.realpath(f"{self.folder}/{name}/jobs") + "/"
        parents, commands = all_processes()
        found = []
        for pid, command in commands.items():
            # One that has the agent as its parent only waits for the one that it began.
            if command == "pagewright-shim" and parents[pid] != self.pid(name):
                try:
                    if os.readlink(f"/proc/{pid}/cwd").startswith(home):
                        found.append((pid, [child for child, _ in below(pid, parents, commands)]))
                except OSError:
                    pass
        return found

    def dismiss(self, name):
        """Ends an agent, its tasks too, for good."""
        left = self.children(name) if self.processes[name].poll() is None else []
        self.stop(name, 60)
        for pid in [pid for pid, _ in left] + [shim for shim, _ in self.tasks(name)]:
            if process_exists(pid):
                os.kill(pid, signal.SIGKILL)
        del self.processes[name]

    def remove(self):
        for name in sorted(self.processes, key=lambda name: name == "coordinator"):
            self.dismiss(name)
        subprocess.run(["chmod", "-R", "u+rwX", self.folder], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def tails(self, lines=12):
        text = ""
        for name in self.processes:
            path = f"{self.folder}/{name}.log"
            if os.path.exists(path):
                with open(path, errors="replace") as log:
                    text += f"--- {name}\n" + "".join(log.readlines()[-lines:])
        return text


class Client:
    """Asks again with the same key until somebody answers, as a user would."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.token = None

    def once(self, method, path, body=None, key=None, timeout=20):
        """(status, decoded body); raises OSError when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.fleet.api_port, timeout=timeout)
        try:
            headers = {"Content-Type": "application/json"}
            if self.token:
                headers["Authorization"] = "Bearer " + self.token
            if key:
                headers["Idempotency-Key"] = key
            connection.request(method, "/api/v1" + path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            data = response.read()
            return response.status, json.loads(data) if data and data[:1] in b"{[" else data
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def send(self, method, path, body=None, patience=60, accept=()):
        key = str(uuid.uuid4()) if method != "GET" else None
        deadline, worked_on = now() + patience, None
        while True:
            try:
                status, answer = self.once(method, path, body, key)
                is_worked_on = status == 409 and "idempot" in json.dumps(answer).lower()
                worked_on = (worked_on or now()) if is_worked_on else None
                again = status >= 500 or (is_worked_on and now() - worked_on < 8)
                if not again or now() > deadline:
                    if 200 <= status < 300 or status in accept:
                        return answer
                    raise Refused(status, answer if isinstance(answer, dict) else {"detail": str(answer)[:200]})
            except OSError:
                if now() > deadline:
                    raise
            self.fleet.revive()
            time.sleep(0.1)

    def items(self, path):
        found, cursor = [], None
        while True:
            separator = "&" if "?" in path else "?"
            page = self.send("GET", f"{path}{separator}limit=100" + (f"&cursor={cursor}" if cursor else ""))
            found += page["items"]
            cursor = page.get("next_cursor")
            if not cursor:
                return found

    def sign_up(self):
        self.token = self.send("POST", "/auth/register", {
            "email": "chaos@example.org", "password": "correct horse battery", "name": "Chaos"})["access_token"]

    def log_in(self):
        self.token = self.send("POST", "/auth/login", {
            "email": "chaos@example.org", "password": "correct horse battery"})["access_token"]


class Ledger:
    """What was promised, written down outside of every process that can be hurt, and what visitors got."""

    def __init__(self, fleet, client):
        self.fleet, self.client = fleet, client
        self.accepted = {}          # job -> (site, text)
        self.asked = collections.defaultdict(list)      # site -> [(asked at, version)], in order
        self.promoted = collections.defaultdict(list)   # site -> [(confirmed at, version)]
        self.samples = []           # (site, began, ended, status, version header, hash)
        self.sites = []
        self._stop = threading.Event()
        self._threads = []

    # Visitors

    def visit(self, site, timeout=5):
        began = now()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.fleet.sites_port, timeout=timeout)
            try:
                connection.request("GET", "/", headers={"Host": f"{site}.localhost"})
                response = connection.getresponse()
                body = response.read()
                return (site, began, now(), response.status, response.headers.get("X-Pagewright-Version"),
                        hashlib.sha256(body).hexdigest())
            finally:
                connection.close()
        except (OSError, http.client.HTTPException):
            return (site, began, now(), 0, None, None)

    def watch(self, site):
        """Visits the site from now on, about forty times a second."""
        self.sites.append(site)

        def run():
            while not self._stop.is_set() and site in self.sites:
                self.samples.append(self.visit(site))
                self._stop.wait(0.025)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self._threads.append(thread)

    def leave(self, site):
        """Does not visit it any more."""
        self.sites.remove(site)

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(10)

    # Judging

    def judge(self, site, since):
        """Counts of what must not be, for one site since a sample's place."""
        counts = collections.Counter(lost=0, stale=0, duplicated=0, torn=0, unavailable=0)
        notes = []
        jobs = {job["id"]: job for job in self.client.items(f"/jobs?site={site}")}
        mine = {job: text for job, (where, text) in self.accepted.items() if where == site}
        for job, text in mine.items():
            if job not in jobs or jobs[job]["state"] not in OVER:
                counts["lost"] += 1
                notes.append(f"{job} is {jobs.get(job, {}).get('state', 'missing')}")
        versions = sorted(self.client.items(f"/sites/{site}/versions"), key=lambda version: version["number"])
        made = collections.Counter(
            version["origin"]["job_id"] for version in versions if version["origin"].get("job_id"))
        for job, times in made.items():
            if times > 1:
                counts["duplicated"] += times - 1
        for job, state in ((job, jobs[job]["state"]) for job in mine if job in jobs):
            if (state == "succeeded") != (made.get(job, 0) == 1):
                counts["lost" if state == "succeeded" else "stale"] += 1
                notes.append(f"{job} is {state} and made {made.get(job, 0)} versions")
        pages, digits = {}, {}
        for version in versions:
            files = self.client.send("GET", f"/sites/{site}/versions/{version['number']}/manifest")["files"]
            index = next(file["sha256"] for file in files if file["path"] == "index.html")
            pages[version["digest"][:12]] = index
            digits[version["number"]] = version["digest"][:12]
        confirmed = self.promoted[site]
        for sample in self.samples[since:]:
            where, began, ended, status, header, body = sample
            if where != site:
                continue
            if status != 200:
                counts["unavailable"] += 1
                continue
            if pages.get(header) != body:
                counts["torn"] += 1
                notes.append(f"version {header} was served as {body[:12]}")
                continue
            # From the last confirmation on, only that version or one that was asked for after it.
            asked = [version for at, version in self.asked[site] if at < ended]
            older = [version for at, version in confirmed if at < began]
            if older:
                first = len(asked) - 1 - asked[::-1].index(older[-1])
                if header not in {digits[version] for version in asked[first:]}:
                    counts["stale"] += 1
                    notes.append(f"version {header} was served after {older[-1]} was confirmed")
        return counts, notes
