"""Rows of the table on chaos that need more than a kill at a step: running tasks, crowds of workers, hosts' disks."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time

from api import Refused
from chaos import now

WORKER_STEPS = ["job-accepted", "workspace-ready", "task-started", "engine-ended", "result-uploaded", "completion-spooled"]

# In the place of the Codex CLI: says what it would say, takes its time, and writes another headline.
SLOW_EDITOR = """#!/bin/sh
cat > /dev/null
echo '{"type":"thread.started","thread_id":"t"}'
echo '{"type":"turn.started"}'
sleep %s
sed -i "s|\\(<h1[^>]*>\\)[^<]*|\\1Slowly at $(date +%%s%%N)|" index.html
echo '{"type":"item.completed","item":{"id":"i","type":"agent_message","text":"Done slowly."}}'
echo '{"type":"turn.completed","usage":{"input_tokens":10,"cached_input_tokens":0,"output_tokens":5}}'
"""


NGINX_SERVICE = """daemon off;
user root;
pid FOLDER/nginx.pid;
error_log FOLDER/error.log;
worker_processes 2;
worker_shutdown_timeout 10s;
events { worker_connections 1024; }
http {
    client_body_temp_path FOLDER/body;
    proxy_temp_path FOLDER/proxy;
    fastcgi_temp_path FOLDER/fastcgi;
    uwsgi_temp_path FOLDER/uwsgi;
    scgi_temp_path FOLDER/scgi;
    map_hash_bucket_size 128;
    include FOLDER/pagewright*.conf;
}
"""


class Rows:
    """What `Chaos` does besides killing programs at their steps."""

    SLOW = "codex"

    def make_slow_editor(self, seconds=3, name="slow-editor"):
        """From now on workers have an engine whose tasks take some seconds."""
        path, model = f"{self.fleet.folder}/{name}", self.fleet.folder + "/model"
        with open(path, "w") as script:
            script.write(SLOW_EDITOR % seconds)
        os.chmod(path, 0o755)
        os.makedirs(model, exist_ok=True)
        self.editor_options = ["--codex", path, "--model-socket", model + "/model.sock", "--model", "gpt-5.4"]
        self.fleet.agent_options["worker"] = self.editor_options

    def until_task(self, name="worker", other_than=(), patience=60):
        """The shim of a task that runs, and the processes below it."""
        found = []

        def holds():
            found[:] = [task for task in self.fleet.tasks(name) if task[0] not in other_than and task[1]]
            return found
        self.until("a task to run", holds, patience)
        return found[0]

    def finish(self, job, failures, attempts=None, patience=600):
        """Waits for the end of the job, publishes it, and notes what is not as it should be."""
        job = self.until_over(job, patience)
        if job["state"] != "succeeded":
            failures.append(f"the job ended as {job['state']}: {job.get('failure') or job.get('error')}")
        else:
            if attempts and job["attempt"] not in attempts:
                failures.append(f"the job succeeded in attempt {job['attempt']}, not in {attempts}")
            self.promote("bakery", job["version"])
        return job

    # 2 and 3: a task that runs

    def worker_killed_under_task(self):
        """The agent dies and comes back while a task runs: it finds the task again, and the attempt is the same."""
        failures, n = [], self.options.count * 3
        for _ in range(n):
            self.settle()
            job = self.submit("bakery", self.SLOW)
            self.until_task()
            time.sleep(self.random.random() * 2)
            self.fleet.kill("worker")
            time.sleep(self.random.random() * 3)
            self.finish(job, failures, attempts=[1])
        return n, failures

    def task_killed(self, victim):
        """The shim, or all that runs below it: the attempt is over, and another one succeeds."""
        failures, n = [], self.options.count * 2
        for _ in range(n):
            job = self.submit("bakery", self.SLOW)
            shim, processes = self.until_task()
            time.sleep(self.random.random() * 1.5)
            for pid in [shim] if victim == "shim" else processes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.finish(job, failures, attempts=[2])
        return n, failures

    def poison(self):
        """A job whose every attempt dies is dead after three; another site's job does not wait for it."""
        failures = []
        if "other" not in self.ledger.sites:
            self.add_site("other")
        for _ in range(self.options.count):
            job, killed = self.submit("bakery", self.SLOW), []
            for _ in range(3):
                shim, _ = self.until_task(other_than=killed)
                os.kill(shim, signal.SIGKILL)
                killed.append(shim)
                if len(killed) == 2:
                    began = now()
                    if self.round("other")["state"] != "succeeded":
                        failures.append("the other site's job did not succeed")
                    self.said = f"the other site was served within {now() - began:.1f} s meanwhile"
            end = self.until_over(job, 120)
            if end["state"] != "dead" or end["attempt"] != 3:
                failures.append(f"after 3 killed attempts it is {end['state']} in attempt {end['attempt']}")
            if self.round()["state"] != "succeeded":
                failures.append("the next job of the site did not succeed")
        return self.options.count, failures

    # 9: frozen where it hurts

    def worker_frozen_at_steps(self):
        failures, n = [], 0
        for step in self.pick(WORKER_STEPS):
            for _ in range(self.options.count):
                self.settle()
                self.fleet.arm("worker", step, signal_number=signal.SIGSTOP)
                job = self.submit("bakery")
                self.until(f"the worker to come to {step}", lambda: self.fleet.is_obeyed("worker"))
                time.sleep(self.options.freeze)
                os.kill(self.fleet.pid("worker"), signal.SIGCONT)
                self.finish(job, failures)
                n += 1
        return n, failures

    def coordinator_frozen_at_steps(self):
        """Between what it looked at and what it writes."""
        failures, n = [], 0
        for step in ("before-grant-commit", "before-completion-commit", "before-release-commit"):
            for _ in range(self.options.count):
                self.settle()
                self.fleet.arm("coordinator", step, signal_number=signal.SIGSTOP)
                freezer = threading.Thread(target=self.thaw, args=("coordinator",), daemon=True)
                freezer.start()
                if self.round()["state"] != "succeeded":
                    failures.append(f"{step}: the job did not succeed")
                freezer.join()
                if self.fleet.disarm("coordinator"):
                    failures.append(f"{step}: the step was not reached")
                n += 1
        return n, failures

    def thaw(self, name):
        """Lets it go on, some time after it stopped at its step."""
        deadline = now() + 60
        while not self.fleet.is_obeyed(name) and now() < deadline:
            time.sleep(0.05)
        # Whoever asks gives up after a minute.
        time.sleep(min(self.options.freeze, 30))
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.fleet.pid(name), signal.SIGCONT)

    # 15: completions that come twice, and too late

    def spooled(self, name="worker"):
        folder = f"{self.fleet.folder}/{name}/spool"
        return [f"{folder}/{file}" for file in os.listdir(folder) if file.endswith(".pb")]

    def verdicts(self, name="worker"):
        """What the coordinator answered to the completions of an agent, in their order."""
        with open(f"{self.fleet.folder}/{name}.log", errors="replace") as log:
            return [line.split("verdict=")[1].split()[0] for line in log if "Completion answered" in line]

    def completion_again(self):
        """A worker dies between spooling and sending; after all was applied the same completion comes once more."""
        failures = []
        for _ in range(self.options.count):
            self.settle()
            self.fleet.arm("worker", "completion-spooled")
            self.fleet.down.add("worker")
            job = self.submit("bakery")
            self.until("the worker to die", lambda: self.fleet.processes["worker"].poll() is not None)
            kept = [(path, path + ".kept") for path in self.spooled()]
            for path, copy in kept:
                shutil.copy(path, copy)
            self.fleet.start("worker")
            self.finish(job, failures, attempts=[1])
            self.fleet.stop("worker")
            before = len(self.verdicts())
            for path, copy in kept:
                os.rename(copy, path)
            self.fleet.start("worker")
            self.until("the second answer", lambda: len(self.verdicts()) > before)
            if self.verdicts()[before:] != ["duplicate"]:
                failures.append(f"the second time was answered with {self.verdicts()[before:]}")
            self.round()
        return self.options.count, failures

    def completion_late(self):
        """A worker falls silent with its result in hand, the job is done by another, and then it comes back."""
        failures = []
        for _ in range(self.options.count):
            self.settle()
            self.fleet.arm("worker", "completion-spooled")
            self.fleet.down.add("worker")
            job = self.submit("bakery")
            self.until("the worker to die", lambda: self.fleet.processes["worker"].poll() is not None)
            hosts = self.hire(["second"])
            self.client.send("POST", f"/jobs/{job}/unlock")
            self.finish(job, failures, attempts=[2])
            before = len(self.verdicts())
            self.fleet.start("worker")
            self.until("the late answer", lambda: len(self.verdicts()) > before)
            if self.verdicts()[before:] != ["stale"]:
                failures.append(f"the late completion was answered with {self.verdicts()[before:]}")
            self.dismiss(hosts)
            self.round()
        return self.options.count, failures

    # 16 and 18: crowds

    def hosts(self):
        return self.client.send("GET", "/hosts")["items"]

    def hire(self, names):
        """More workers; returns their hosts by name."""
        hosts = {}
        for name in names:
            before = {host["id"] for host in self.hosts()}
            self.fleet.join(name, "worker")
            hosts[name] = next(host["id"] for host in self.hosts() if host["id"] not in before)
            self.fleet.agent_options[name] = self.editor_options
            self.fleet.start(name)
        self.until("the new hosts to be connected", lambda: all(
            host["connected"] for host in self.hosts() if host["id"] in hosts.values()))
        return hosts

    def dismiss(self, hosts):
        for name, host in hosts.items():
            self.client.send("POST", f"/hosts/{host}/revoke")
            self.fleet.dismiss(name)
            shutil.rmtree(f"{self.fleet.folder}/{name}", ignore_errors=True)

    def many_jobs(self):
        """As many jobs for one site as may wait, and several workers that would all like to have them."""
        hosts = self.hire([f"crowd-{number}" for number in range(self.options.crowd // 4)])
        failures, done = [], 0
        for _ in range(self.options.count):
            jobs = [self.submit("bakery") for _ in range(18)]
            ends = [self.until_over(job) for job in jobs]
            failures += [f"{end['id']} ended as {end['state']}" for end in ends if end["state"] != "succeeded"]
            failures += [f"{end['id']} took {end['attempt']} attempts" for end in ends if end["attempt"] != 1]
            versions = [end.get("version") for end in ends]
            if versions != sorted(versions, key=lambda version: version or 0):
                failures.append(f"they did not end in their order: {versions}")
            self.promote("bakery", versions[-1])
            done += len(jobs)
        self.dismiss(hosts)
        return done, failures

    def all_dropped(self):
        """Every agent loses its session in one instant, with tasks running: all are back, and no lease is lost."""
        sites = ["bakery"] + [f"drop-{number}" for number in range(3)]
        for site in sites[1:]:
            if site not in self.ledger.promoted:
                self.add_site(site)
                self.ledger.leave(site)
        # Slow enough for all of them to run at one time.
        self.make_slow_editor(12)
        hosts = self.hire([f"crowd-{number}" for number in range(self.options.crowd)])
        failures, slowest, n = [], 0.0, 0
        for how in ("network", "coordinator") * self.options.count:
            jobs = [self.submit(site, self.SLOW) for site in sites]
            # An offer that is on its way when the session goes may cost an attempt; a task that runs may not.
            self.until("all tasks to run", lambda: len(jobs) == sum(
                len(self.fleet.tasks(name)) for name in ["worker", *hosts]))
            time.sleep(self.random.random())
            if how == "network":
                self.nft("add table inet apart")
                self.nft("add chain inet apart out { type filter hook output priority 0 ; }")
                for end in ("dport", "sport"):
                    self.nft(f"add rule inet apart out tcp {end} {self.fleet.agents_port} reject with tcp reset")
                # Long enough for everybody to have said something.
                self.until("all sessions to be gone", lambda: not any(
                    host["connected"] for host in self.hosts()), 120)
                self.nft("delete table inet apart")
            else:
                self.fleet.kill("coordinator")
            began = now()
            self.settle()
            slowest = max(slowest, now() - began)
            for job in jobs:
                end = self.until_over(job)
                if end["state"] != "succeeded" or end["attempt"] != 1:
                    failures.append(f"{how}: {job} ended as {end['state']} in attempt {end['attempt']}")
            self.promote("bakery", self.last_version("bakery"))
            n += len(hosts) + 2
        if slowest > 30:
            failures.append(f"the last one was back after {slowest:.0f} s")
        self.said = f"all {len(hosts) + 2} back within {slowest:.1f} s"
        self.dismiss(hosts)
        self.make_slow_editor()
        return n, failures

    def last_version(self, site):
        return max(version["number"] for version in self.client.items(f"/sites/{site}/versions"))

    # 8: nginx

    def nginx(self):
        masters = [pid for pid, command in self.fleet.children("server") if command.startswith("nginx")]
        if not masters:
            raise Refused(0, {"detail": "there is no nginx below the agent"})
        return masters[0]

    def begin_nginx_service(self):
        """From now on sites are served by an nginx that does not end with the agent, as the packages have it."""
        folder = self.fleet.folder + "/nginx-service"
        os.makedirs(folder, exist_ok=True)
        path = folder + "/nginx.conf"
        with open(path, "w") as file:
            file.write(NGINX_SERVICE.replace("FOLDER", folder))
        self.fleet.stop("server")
        nginx = subprocess.Popen(["/usr/sbin/nginx", "-e", "stderr", "-c", path], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.until("nginx", lambda: os.path.exists(folder + "/nginx.pid"), 30)
        self.fleet.agent_options["server"] = [
            "--nginx-include", folder + "/pagewright.conf", "--nginx-pid-file", folder + "/nginx.pid",
            "--nginx-configuration", path]
        self.fleet.start("server")

        def end():
            self.fleet.stop("server")
            nginx.terminate()
            nginx.wait(30)
            self.fleet.agent_options["server"] = []
            self.fleet.start("server")
            self.until("the sites to be served as before", lambda: self.ledger.visit("bakery")[3] == 200)
        self.clean_up = end
        self.until("the sites to be served by it", lambda: self.ledger.visit("bakery")[3] == 200)

    def server_beside_nginx(self):
        """The agent dies at each of its steps, and no visitor notices."""
        self.begin_nginx_service()
        self.settle()
        # Changing from one nginx to another is no part of this.
        self.judged = len(self.ledger.samples)
        return self.server_at_each_step()

    def nginx_reloaded(self):
        """Somebody reloads nginx all the time while releases go out."""
        failures, ending = [], threading.Event()

        def reload():
            while not ending.wait(0.1):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.nginx(), signal.SIGHUP)
        for _ in range(self.options.count):
            ending.clear()
            thread = threading.Thread(target=reload, daemon=True)
            thread.start()
            try:
                if self.round()["state"] != "succeeded":
                    failures.append("the job did not succeed")
            finally:
                ending.set()
                thread.join()
        return self.options.count, failures

    def nginx_damaged(self):
        """Somebody writes nonsense into nginx's configuration and reloads it: what is served stays, and releases go on."""
        failures, path = [], self.fleet.folder + "/server/nginx/nginx.conf"
        for _ in range(self.options.count):
            with open(path) as file:
                text = file.read()
            with open(path, "a") as file:
                file.write("\nserver { this is nonsense\n")
            os.kill(self.nginx(), signal.SIGHUP)
            if self.round()["state"] != "succeeded":
                failures.append("the job did not succeed")
            with open(path, "w") as file:
                file.write(text)
            os.kill(self.nginx(), signal.SIGHUP)
            self.round()
        return self.options.count, failures

    # 11: the disks of all three

    @contextlib.contextmanager
    def small_disk(self, name, megabytes=96):
        """The state of one program on a disk of its own, for as long as this lasts."""
        state = f"{self.fleet.folder}/{name}"
        self.fleet.stop(name)
        subprocess.run(["mv", state, state + ".disk"], check=True)
        os.mkdir(state)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711", "tmpfs", state], check=True)
        try:
            subprocess.run(["cp", "-a", state + ".disk/.", state], check=True)
            self.fleet.start(name)
            self.settle()
            yield state
        finally:
            self.fleet.stop(name)
            subprocess.run(["rm", "-rf", state + ".disk"], check=True)
            subprocess.run(["cp", "-a", state, state + ".disk"], check=True)
            subprocess.run(["umount", "-l", state], check=True)
            os.rmdir(state)
            os.rename(state + ".disk", state)
            self.fleet.start(name)
            self.settle()

    @contextlib.contextmanager
    def full(self, state):
        """No room at all."""
        filler = state + "/filler"
        with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
            for size in (65536, 512):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"\0" * size)
        try:
            yield
        finally:
            os.unlink(filler)

    @contextlib.contextmanager
    def failing_fsync(self, name):
        """Every fsync of the program is answered with EIO."""
        tracer = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(self.fleet.pid(name)), "-e",
             "inject=fsync,fdatasync,syncfs:error=EIO"], stderr=subprocess.DEVNULL)
        time.sleep(1)
        try:
            yield
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(20)

    def coordinator_disk(self, hurt):
        """Requests are refused with a reason or accepted for good; sites are served, and it heals."""
        failures = []
        for _ in range(self.options.count):
            with hurt():
                try:
                    status, answer = self.client.once(
                        "POST", "/sites/bakery/edits", {"prompt": 'Change the headline to "No disk"'}, timeout=30)
                    if status == 202:
                        self.ledger.accepted[answer["job"]["id"]] = ("bakery", "No disk")
                    elif status not in (500, 503, 507):
                        failures.append(f"it was answered with {status}")
                except OSError:
                    pass
                time.sleep(2)
            self.until("the coordinator to heal", lambda: self.client.once("GET", "/sites/bakery")[0] == 200)
            for job in list(self.ledger.accepted):
                self.until_over(job)
            self.round()
        return self.options.count, failures

    def worker_disk(self, hurt):
        failures = []
        for _ in range(self.options.count):
            with hurt():
                job = self.submit("bakery")
                time.sleep(1.5)
            self.finish(job, failures)
            self.round()
        return self.options.count, failures

    def server_disk(self, hurt):
        """What is served goes on being served, and the new version comes when the disk is well again."""
        failures = []
        for _ in range(self.options.count):
            job = self.until_over(self.submit("bakery"))
            with hurt():
                self.ledger.asked["bakery"].append((now(), job["version"]))
                self.client.send("POST", "/sites/bakery/promote", {"version": job["version"]})
                time.sleep(2)
            self.until_served("bakery", job["version"])
            self.round()
        return self.options.count, failures

    @contextlib.contextmanager
    def crowded(self, state):
        """Room for bytes, and for no file more."""
        used = os.statvfs(state).f_files - os.statvfs(state).f_ffree
        subprocess.run(["mount", "-o", f"remount,nr_inodes={used}", state], check=True)
        try:
            yield
        finally:
            subprocess.run(["mount", "-o", "remount,nr_inodes=1000000", state], check=True)

    def no_inodes(self, name):
        with self.small_disk(name) as state:
            return getattr(self, name + "_disk")(lambda: self.crowded(state))

    def disk_full(self, name):
        with self.small_disk(name) as state:
            return getattr(self, name + "_disk")(lambda: self.full(state))

    def fsync_fails(self, name):
        return getattr(self, name + "_disk")(lambda: self.failing_fsync(name))

    # 12: what a host has stored

    def flip(self, path):
        os.chmod(path, 0o644)
        with open(path, "r+b") as blob:
            blob.seek(100)
            byte = blob.read(1)[0]
            blob.seek(100)
            blob.write(bytes([byte ^ 4]))

    def page_digest(self, version):
        files = self.client.send("GET", f"/sites/bakery/versions/{version}/manifest")["files"]
        return next(file["sha256"] for file in files if file["path"] == "index.html")

    def page_text(self, version):
        return self.client.send("GET", f"/sites/bakery/versions/{version}/files/index.html").decode()

    def worker_cache_flipped(self):
        """One bit of the base version, in the store of the worker: no version is made of it."""
        failures = []
        for _ in range(self.options.count):
            base = self.round()
            digest = self.page_digest(base["version"])
            path = f"{self.fleet.folder}/worker/blobs/{digest[:2]}/{digest}"
            if not os.path.exists(path):
                # It has what it made itself only when it needed it as a base.
                base = self.round()
                digest = self.page_digest(base["version"])
                path = f"{self.fleet.folder}/worker/blobs/{digest[:2]}/{digest}"
            if not os.path.exists(path):
                failures.append("the worker keeps no copy of what it works on")
                break
            self.flip(path)
            job = self.round()
            if job["state"] != "succeeded":
                failures.append(f"the job ended as {job['state']}")
                continue
            (_, old), (_, new) = self.ledger.accepted[base["id"]], self.ledger.accepted[job["id"]]
            if self.page_text(base["version"]).replace(old, new) != self.page_text(job["version"]):
                failures.append("the new version was made of a damaged one")
        return self.options.count, failures
