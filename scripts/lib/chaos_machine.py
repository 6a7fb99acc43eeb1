"""Rows of the table on chaos about what lies below the programs: a network that is away for longer than a lease, a disk
that takes no writes any more, memory that runs out, and one write to the disk for many requests."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import tempfile
import threading
import time
import uuid

from chaos import now

WRITERS = 24
# In the place of an editor: takes more memory than the machine has.
GREEDY_EDITOR = """#!/bin/sh
cat > /dev/null
echo '{"type":"thread.started","thread_id":"t"}'
echo '{"type":"turn.started"}'
dd if=/dev/zero of=/dev/null bs=1200M count=1 2> /dev/null || exit 1
echo '{"type":"turn.completed","usage":{"input_tokens":10,"cached_input_tokens":0,"output_tokens":5}}'
"""


class Writer(threading.Thread):
    """One user who changes one thing after the other, and asks again with the same key until somebody answers."""

    def __init__(self, fleet, token, name):
        super().__init__(daemon=True)
        self.fleet, self.token, self.label = fleet, token, name
        self.ending = threading.Event()
        self.answered = {}          # title -> identifier
        self.problem = None

    def run(self):
        connection, number, again = None, 0, None
        while not self.ending.is_set() or again:
            title, key = again or (f"{self.label}-{number}", str(uuid.uuid4()))
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self.fleet.api_port, timeout=30)
                connection.request("POST", "/api/v1/sites/bakery/conversations", json.dumps({"title": title}), {
                    "Content-Type": "application/json", "Authorization": "Bearer " + self.token,
                    "Idempotency-Key": key})
                response = connection.getresponse()
                answer = response.read()
            except (OSError, http.client.HTTPException):
                connection, again = None, (title, key)
                time.sleep(0.05)
                continue
            if response.status == 201:
                self.answered[title] = json.loads(answer)["id"]
                number, again = number + 1, None
            elif response.status >= 500 or response.status == 409:
                again = (title, key)
                time.sleep(0.05)
            else:
                self.problem, again = f"{response.status} {answer[:200]}", None
                return


def commits_in(path):
    """How many commits the write-ahead log of SQLite holds since it was begun anew."""
    with open(path + "-wal", "rb") as log:
        header = log.read(32)
        if len(header) < 32:
            return 0
        page, salts, commits = struct.unpack(">I", header[8:12])[0], header[16:24], 0
        while True:
            frame = log.read(24)
            if len(frame) < 24 or frame[8:16] != salts:
                return commits
            commits += struct.unpack(">I", frame[4:8])[0] != 0
            log.seek(page, os.SEEK_CUR)


def shared(path):
    """Of a database that nobody has open: how many conversations are in the log alone, and how many commits are there."""
    rows, commits = [], commits_in(path)
    with tempfile.TemporaryDirectory() as folder:
        for parts in (("", "-wal"), ("",)):
            for part in parts:
                shutil.copy(path + part, f"{folder}/{len(parts)}{part}")
            with contextlib.closing(sqlite3.connect(f"{folder}/{len(parts)}")) as database:
                rows.append(database.execute("SELECT COUNT(*) FROM conversation").fetchone()[0])
    return rows[0] - rows[1], commits


class MachineRows:
    """What `Chaos` does to what the programs stand on."""

    # 1: many requests, one write to the disk

    def many_writers(self):
        """The coordinator dies again and again while many users change things at once. What was answered is there."""
        failures, n = [], self.options.steps or max(10, 5 * self.options.count)
        file = self.fleet.folder + "/coordinator/pagewright.sqlite"
        writers = [Writer(self.fleet, self.client.token, f"w{number}") for number in range(WRITERS)]
        logged = committed = 0

        def answered():
            return {title: one for writer in writers for title, one in list(writer.answered.items())}

        def kept():
            with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
                return dict(database.execute("SELECT id, title FROM conversation"))
        for writer in writers:
            writer.start()
        try:
            for _ in range(n):
                before = len(answered())
                self.until("many answers", lambda: len(answered()) > before + 3 * WRITERS)
                time.sleep(self.random.random())
                self.fleet.kill("coordinator")
                told = answered()
                # A log that was begun in the middle of a checkpoint has no say in this.
                with contextlib.suppress(sqlite3.DatabaseError):
                    more, commits = shared(file)
                    logged, committed = logged + more, committed + commits
                self.fleet.revive()
                self.until("the coordinator", lambda: self.client.once("GET", "/sites/bakery")[0] == 200)
                there = kept()
                failures += [f"{title} was answered and is gone" for title, one in told.items() if one not in there]
        finally:
            for writer in writers:
                writer.ending.set()
        self.until("the last answers", lambda: not any(writer.is_alive() for writer in writers))
        failures += [f"{writer.label}: {writer.problem}" for writer in writers if writer.problem]
        told, there = answered(), kept()
        twice = len(there) - len(set(there.values()))
        mine = {title for title in there.values() if title and title.split("-")[0] in {w.label for w in writers}}
        if twice:
            failures.append(f"{twice} requests took effect twice")
        if mine != set(told):
            failures.append(f"{len(mine)} requests took effect, and {len(told)} were answered")
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            failures += [str(row) for row in database.execute("PRAGMA foreign_key_check")]
            failures += [row[0] for row in database.execute("PRAGMA integrity_check") if row[0] != "ok"]
        self.said = f"{len(told):,} answered, none missing; {logged / max(1, committed):.0f} of them to a commit"
        return n, failures

    # 9: away for longer than the lease

    @contextlib.contextmanager
    def silent(self, name, how):
        """One agent says and hears nothing: cut off from the coordinator, or stopped."""
        if how == "frozen":
            os.kill(self.fleet.pid(name), signal.SIGSTOP)
            try:
                yield
            finally:
                os.kill(self.fleet.pid(name), signal.SIGCONT)
            return
        self.nft("add table inet away")
        self.nft("add chain inet away out { type filter hook output priority 0 ; }")
        for end in ("daddr", "saddr"):
            self.nft(f"add rule inet away out ip {end} {self.fleet.addresses[name]} drop")
        try:
            yield
        finally:
            self.nft("delete table inet away")

    def past_lease(self, how):
        """One of two workers is silent until its lease is over and the other one did the job. Then it comes back with a
        result in its hands (`done`); or its task ran (`running`, `frozen`), which must be dead before the lease is given
        again, whether its agent lives or is stopped. Whatever it says then is refused."""
        failures = []
        self.fleet.addresses["distant"] = "127.0.0.2"
        self.make_slow_editor(3 if how == "done" else 200, "distant-editor")
        hosts = self.hire(["distant"])
        self.make_slow_editor()
        near = next(host["id"] for host in self.hosts() if host["id"] not in hosts.values()
                    and host["state"] != "revoked" and "worker" in host["roles"])
        for _ in range(self.options.count):
            self.client.send("POST", f"/hosts/{near}/drain")
            job = self.submit("bakery", self.SLOW)
            shim, _ = self.until_task("distant")
            before = len(self.verdicts("distant"))
            with self.silent("distant", how):
                began, ended = now(), None
                self.client.send("POST", f"/hosts/{near}/resume")
                while True:
                    # Nothing may be left of it: not the shim, and nothing that works in its folder.
                    if ended is None and not any(task[0] == shim for task in self.fleet.tasks("distant")):
                        ended = now() - began
                    if self.client.once("GET", f"/jobs/{job}")[1]["attempt"] > 1 or now() > began + 480:
                        break
                    time.sleep(0.05)
                waited = now() - began
                if ended is None:
                    failures.append(f"the task still ran when the lease was given again, after {waited:.1f} s")
                elif how != "done" and not 25 < ended < 50:
                    failures.append(f"the task ended {ended:.1f} s after the last word")
                self.finish(job, failures, attempts=[2])
            self.until("the distant one to be back", lambda: all(
                host["connected"] for host in self.hosts() if host["id"] in hosts.values()), 180)
            self.until("its late answer", lambda: len(self.verdicts("distant")) > before, 180)
            if self.verdicts("distant")[before:] != ["stale"]:
                failures.append(f"the late completion was answered with {self.verdicts('distant')[before:]}")
            self.said = f"given again after {waited:.0f} s"
            if how != "done" and ended:
                self.said += f", the task was dead after {ended:.0f} s"
        self.dismiss(hosts)
        del self.fleet.addresses["distant"]
        return self.options.count, failures

    # 11: a disk that takes no writes any more

    @contextlib.contextmanager
    def own_disk(self, name, megabytes=400):
        """The state of one program on a file system of its own that goes read-only on its first error."""
        state, image = f"{self.fleet.folder}/{name}", f"{self.fleet.folder}/{name}.img"
        self.fleet.stop(name)
        os.rename(state, state + ".moved")
        os.mkdir(state)
        with open(image, "wb") as file:
            file.truncate(megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
        self.mount(image, state)
        try:
            subprocess.run(["cp", "-a", state + ".moved/.", state], check=True)
            # What was copied here is no part of the test; what the program writes from here on is.
            subprocess.run(["sync", "-f", state], check=True)
            os.chmod(state, 0o711)
            self.fleet.start(name)
            self.until(f"{name} to be ready", lambda: self.fleet.is_ready(name))
            self.settle()
            yield state, image
        finally:
            self.fleet.stop(name)
            shutil.rmtree(state + ".moved")
            subprocess.run(["cp", "-a", state, state + ".moved"], check=True)
            shutil.rmtree(state + ".moved/lost+found")
            self.unmount(state)
            os.rmdir(state)
            os.unlink(image)
            os.rename(state + ".moved", state)
            self.fleet.start(name)
            self.settle()

    def mount(self, image, state):
        subprocess.run(["mount", "-o", "loop,errors=remount-ro", image, state], check=True)

    def unmount(self, state):
        """The last process that works there may take a moment to be gone."""
        self.until(f"{state} to be free", lambda: subprocess.run(
            ["umount", state], capture_output=True, check=False).returncode == 0, 30)

    @contextlib.contextmanager
    def turned_read_only(self, name, state, image):
        """The kernel finds an error on the disk and takes no more writes; then somebody stops the program, has the disk
        checked, mounts it again and starts the program."""
        device = subprocess.run(["findmnt", "-no", "SOURCE", state], capture_output=True, text=True, check=True).stdout
        with open(f"/sys/fs/ext4/{os.path.basename(device.strip())}/trigger_fs_error", "w") as trigger:
            trigger.write("1")
        with contextlib.suppress(OSError):
            os.mkdir(state + "/probe")
            raise RuntimeError("the disk still takes writes")
        deaths, visits = self.fleet.deaths[name], len(self.ledger.samples)
        try:
            yield
            self.fleet.revive()
            if self.fleet.deaths[name] > deaths:
                raise RuntimeError(f"{name} died of it")
            if any(sample[3] != 200 for sample in self.ledger.samples[visits:]):
                raise RuntimeError("visitors noticed")
            if name == "coordinator":
                self.said = self.unready()
                if "database" not in self.said:
                    raise RuntimeError("/readyz says nothing of the database")
        finally:
            self.fleet.stop(name)
            self.unmount(state)
            subprocess.run(["e2fsck", "-fy", image], capture_output=True, check=False)
            self.mount(image, state)
            self.fleet.start(name)

    def unready(self):
        """The checks of /readyz that fail, with their words."""
        connection = http.client.HTTPConnection("127.0.0.1", self.fleet.api_port, timeout=20)
        try:
            connection.request("GET", "/readyz")
            checks = json.loads(connection.getresponse().read())["checks"]
            return "; ".join(f"{check['name']}: {check['detail']}" for check in checks if not check["ready"])
        finally:
            connection.close()

    def read_only(self, name):
        with self.own_disk(name) as (state, image):
            return getattr(self, name + "_disk")(lambda: self.turned_read_only(name, state, image))

    # Memory

    def group_of_memory(self, megabytes):
        """A control group for a program and all that it starts; the folder, and the file that takes its members. `None` when
        there are none here."""
        name = f"pagewright-chaos-{os.getpid()}"
        with open("/proc/self/cgroup") as file:
            own = {line.split(":")[1]: line.strip().split(":", 2)[2] for line in file}
        with open("/proc/self/mounts") as file:
            mounts = [line.split()[:4] for line in file]
        with contextlib.suppress(OSError, StopIteration):
            if "memory" in own:
                root = next(where for _, where, kind, options in mounts
                            if kind == "cgroup" and "memory" in options.split(","))
                folder = f"{root}{own['memory'].rstrip('/')}/{name}"
                os.mkdir(folder)
                with open(folder + "/memory.limit_in_bytes", "w") as file:
                    file.write(str(megabytes << 20))
                return folder, folder
            root = next(where for _, where, kind, _ in mounts if kind == "cgroup2")
            folder = f"{root}{os.path.dirname(own[''])}/{name}"
            os.mkdir(folder)
            with open(folder + "/memory.max", "w") as file:
                file.write(str(megabytes << 20))
            # Who has members has no limits for those below.
            os.mkdir(folder + "/agent")
            return folder, folder + "/agent"
        return None

    def memory_out(self):
        """A task takes what the host does not have, each time: the kernel ends it, and nothing else. The agent stays, the
        job says what it was, and the next one is done."""
        failures, group = [], self.group_of_memory(512)
        if group is None:
            self.said = "no control groups here"
            return 0, failures
        folder, members = group
        path = self.fleet.folder + "/greedy-editor"
        with open(path, "w") as script:
            script.write(GREEDY_EDITOR)
        os.chmod(path, 0o755)
        options = self.fleet.agent_options["worker"]
        try:
            for _ in range(self.options.count):
                self.fleet.stop("worker")
                self.fleet.prefix["worker"] = [
                    "sh", "-c", f'echo $$ > {members}/cgroup.procs && exec "$0" "$@"']
                self.fleet.agent_options["worker"] = ["--codex", path, *self.editor_options[2:]]
                self.fleet.start("worker")
                self.settle()
                pid, deaths = self.fleet.pid("worker"), self.fleet.deaths["worker"]
                job = self.until_over(self.submit("bakery", self.SLOW), 300)
                failure = job.get("failure") or {}
                self.said = f'{job["state"]}: "{failure.get("message")}"'
                if job["state"] != "dead" or "The worker ran out of memory" not in str(failure.get("message")):
                    failures.append(f"the job ended as {job['state']}: {failure}")
                if self.round()["state"] != "succeeded":
                    failures.append("the next job did not succeed")
                if self.fleet.pid("worker") != pid or self.fleet.deaths["worker"] > deaths:
                    failures.append("the agent died")
        finally:
            self.fleet.stop("worker")
            self.fleet.prefix.pop("worker", None)
            self.fleet.agent_options["worker"] = options
            self.fleet.start("worker")
            for path, folders, _ in os.walk(folder, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(path)
        return self.options.count, failures
