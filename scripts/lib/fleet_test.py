"""What every part of test-fleet builds on: packages, hosts, playbooks, visitors, waiting, and what is said of it."""

import http.client
import json
import os
import re
import shutil
import subprocess
import threading
import time
import zlib

from api import API, Refused
from machines import Fleet, run, template

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ANSIBLE = os.path.join(ROOT, "ansible")
DOMAIN = "sites.test"
SITE = "bakery." + DOMAIN
USER = ("ada@example.org", "correct horse battery staple")
ENDED = ("succeeded", "answered", "failed", "cancelled", "dead")

# Host to groups. The small fleet is what continuous integration has the time for.
LARGE = {
    "control": ["coordinators"], "base": ["database", "redis"], "work": ["workers"], "web1": ["serving"],
    "web2": ["serving"]}
SMALL = {"control": ["coordinators"], "web1": ["workers", "serving"]}

# A folder that all hosts see, as they would see one over NFS.
SHARED = "/srv/shared"

# In the place of the Codex CLI: says what it would say, and takes its time until a test has seen enough.
SLOW_EDITOR = """\
#!/bin/sh
cat > /dev/null
echo '{"type":"thread.started","thread_id":"t"}'
echo '{"type":"turn.started"}'
sleep SECONDS
sed -i 's/<h1[^>]*>/<h1>Slowly, /' index.html
echo '{"type":"item.completed","item":{"id":"i","type":"agent_message","text":"Done slowly."}}'
echo '{"type":"turn.completed","usage":{"input_tokens":10,"cached_input_tokens":0,"output_tokens":5}}'
"""


class Wrong(Exception):
    """Something was not as it must be."""


def now():
    return time.monotonic()


def visit(address, site, path="/", timeout=5):
    """One request as a browser sends it, on a connection of its own: (status, body)."""
    connection = http.client.HTTPConnection(address, 80, timeout=timeout)
    try:
        connection.request("GET", path, headers={"Host": site})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


class Visitors:
    """Ask hosts for a site again and again, and count what they were not given."""

    def __init__(self, targets, site):
        self.targets, self.site = targets, site
        self.asked, self.failures = 0, []
        self._counting = threading.Lock()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._visit, args=(target,), daemon=True) for target in targets]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join(15)

    def _visit(self, address):
        while not self._ended.is_set():
            failure = None
            try:
                status, _ = visit(address, self.site)
                if status != 200:
                    failure = f"{address}: status {status}"
            except (OSError, http.client.HTTPException) as error:
                failure = f"{address}: {type(error).__name__} {error}"
            with self._counting:
                self.asked += 1
                if failure:
                    self.failures.append(failure)
            time.sleep(0.02)


class FleetTest:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.groups_of = dict(SMALL if options.reduced else LARGE)
        self.rows, self.failures = [], []
        self.fleet = self.api = None
        self.packages = os.path.join(folder, "packages")
        self.inventory = os.path.join(folder, "inventory")
        self.variables = {
            "coordinator_sites_domain": DOMAIN, "backup_passphrase": "what opens the backups of this test",
            "package_files": self.packages,
            # No way out, and the packages of Debian are on the hosts already.
            "base_apt_update": False,
            "ansible_user": "root", "ansible_python_interpreter": "/usr/bin/python3"}
        if not options.reduced:
            self.variables |= {
                "postgresql_password": "a-password-of-this-test-alone", "redis_password": "another-password-of-this-test"}

    def having(self, group):
        """The hosts of a group."""
        return [name for name, groups in self.groups_of.items() if group in groups]

    @property
    def serving(self):
        return self.having("serving")

    @property
    def worker(self):
        return self.having("workers")[0]

    @property
    def agents(self):
        return [name for name, groups in self.groups_of.items() if {"workers", "serving"} & set(groups)]

    def visitors(self):
        return Visitors([self.fleet[name].address for name in self.serving], SITE)

    # Saying

    def step(self, text):
        print(f"\n{text}", flush=True)

    def saw(self, text):
        print(f"    ok   {text}", flush=True)

    def must(self, fact, text, detail=""):
        if not fact:
            raise Wrong(f"{text}" + (f": {detail}" if detail else ""))
        self.saw(text)

    def none_failed(self, visitors, what):
        self.must(
            not visitors.failures and visitors.asked > 0, f"{what}: {visitors.asked} requests, 0 failed",
            f"{len(visitors.failures)} failed, such as {visitors.failures[:3]}")

    def row(self, what, measured, target=""):
        self.rows.append((what, measured, target))
        print(f"         {what}: {measured}" + (f" (target {target})" if target else ""), flush=True)

    # Packages

    def build(self, output, programs=None):
        """Packages of these programs, as they are shipped; of other ones as quickly as they can be made."""
        quick = ["--loose", "--compression", "0"] if self.options.loose or programs else []
        return run(
            [os.path.join(ROOT, "packaging", "build"), "--programs", programs or self.options.programs, "--output", output,
             *quick], timeout=1800)

    def make_packages(self):
        self.step("Packages")
        began = now()
        print("\n".join("         " + line for line in self.build(self.packages).stdout.splitlines()))
        self.row("packages built", f"{now() - began:.0f} s")
        for name in sorted(os.listdir(self.packages)):
            self.row(name, f"{os.path.getsize(os.path.join(self.packages, name)) / 1e6:.1f} MB")
        self.note_version()
        for name in sorted(os.listdir(self.packages)):
            program, there = name.split("_")[0], run(["dpkg-deb", "-c", os.path.join(self.packages, name)]).stdout
            missing = [part for part in (
                f"man/man1/{program}.1.gz", f"bash-completion/completions/{program}", f"zsh/vendor-completions/_{program}",
                f"fish/vendor_completions.d/{program}.fish") if f"/usr/share/{part}" not in there]
            self.must(not missing, f"{program} has a manual page, and completions for bash, zsh and fish", missing)
        if self.options.reduced:
            return
        # The same bytes again, in another folder.
        again = os.path.join(self.folder, "packages-again")
        self.build(again)
        for name in os.listdir(self.packages):
            with open(os.path.join(self.packages, name), "rb") as one, open(os.path.join(again, name), "rb") as two:
                self.must(one.read() == two.read(), f"{name}: built twice, the same bytes")
        shutil.rmtree(again)
        self.examine_packages()

    def examine_packages(self):
        """What Debian's own checker says. Programs of a debug build are not what it is to judge."""
        if self.options.loose:
            return
        files = [os.path.join(self.packages, name) for name in sorted(os.listdir(self.packages))]
        said = run(["lintian", "--allow-root", "--tag-display-limit", "0", *files], check=False, timeout=900).stdout
        kinds = {kind: len(re.findall(rf"^{kind}: ", said, re.M)) for kind in "EW"}
        print("\n".join("         " + line for line in said.splitlines()))
        self.row("lintian", f"{kinds['E']} errors, {kinds['W']} warnings", "0 errors")
        self.must(kinds["E"] == 0, "lintian finds no error", said)

    def note_version(self):
        self.version = next(
            name for name in os.listdir(self.packages) if name.startswith("pagewright-agent_")).split("_")[1]
        self.must(re.fullmatch(r"\d+\.\d+\.\d", self.version), f"the programs are of version {self.version}")

    def later(self, number):
        """A version after the one that was built."""
        return self.version[:-1] + str((int(self.version[-1]) + number) % 10)

    def other_version(
        self, version, program=None, names=("pagewright-agent", "pagewright-coordinator", "pagewright"), source=None):
        """The packages as another version, in a folder of their own. `program` takes the place of the agent's. `source` is
        where the packages are that it is made of.

        The programs are the same but for their version's text, which has the same length.
        """
        packages = source or self.packages
        folder = os.path.join(self.folder, f"packages-{version}")
        tree = os.path.join(self.folder, "tree")
        shutil.rmtree(tree, ignore_errors=True)
        os.makedirs(folder, exist_ok=True)
        for name in names:
            package = next(file for file in os.listdir(packages) if file.startswith(name + "_"))
            target = f"{folder}/{name}_{version}_{package.rsplit('_', 1)[1]}"
            if os.path.exists(target):
                continue
            run(["dpkg-deb", "-R", os.path.join(packages, package), tree])
            control = os.path.join(tree, "DEBIAN", "control")
            with open(control, encoding="utf-8") as file:
                text = file.read()
            with open(control, "w", encoding="utf-8") as file:
                file.write(re.sub(r"^Version: .*$", f"Version: {version}", text, flags=re.M))
            path = os.path.join(tree, "usr/bin", name)
            if program and name == "pagewright-agent":
                with open(path, "w", encoding="utf-8") as file:
                    file.write(program)
            else:
                self.rename(path, version)
            run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, target])
            shutil.rmtree(tree)
        return folder

    def rename(self, path, version):
        """Has a program say that it is another version of the same length: in its text and in its instructions the
        version is followed by a zero."""
        with open(path, "rb") as file:
            found = file.read()
        old = re.escape(self.version.encode())
        changed, count = re.subn(rb"(?<![0-9.])" + old + rb"(?=\0)", version.encode(), found)
        with open(path, "wb") as file:
            file.write(changed)
        said = run([path, "--version"]).stdout.split()
        if not said or said[-1] != version:
            raise Wrong(f"{path} says {said}, not {version}; {count} places were changed")

    def spread(self, version, program=None):
        """Puts the agent's package where hosts look for the version that they are told to run."""
        folder = self.other_version(version, program, names=("pagewright-agent",))
        name = next(file for file in os.listdir(folder) if file.startswith(f"pagewright-agent_{version}_"))
        for host in self.agents:
            shutil.copy(os.path.join(folder, name), self.fleet[host].root + "/var/cache/" + name)

    # Ansible

    def write_inventory(self, without=()):
        os.makedirs(self.inventory, exist_ok=True)
        hosts = {name: {"ansible_host": machine.address} for name, machine in self.fleet.machines.items()}
        hosts[self.worker]["agent_options"] = [
            "--codex", "/usr/local/bin/slow-editor", "--model-socket", "/var/lib/slow-model/model.sock", "--model", "gpt-5.4"]
        groups = {}
        for name, names in self.groups_of.items():
            for group in names:
                groups.setdefault(group, {"hosts": {}})["hosts"][name] = {}
        variables = {name: value for name, value in self.variables.items() if name not in without}
        with open(os.path.join(self.inventory, "hosts.json"), "w", encoding="utf-8") as file:
            json.dump({"all": {"hosts": hosts, "vars": variables, "children": groups}}, file, indent=1)

    def play(self, book, *arguments, variables=None, fails=False, ansible=None):
        """Runs a playbook. Returns (what it said, seconds, changed in all)."""
        environment = dict(
            os.environ, ANSIBLE_CONFIG=os.path.join(ANSIBLE, "ansible.cfg"), ANSIBLE_HOST_KEY_CHECKING="False",
            ANSIBLE_SSH_CONTROL_PATH_DIR=os.path.join(self.folder, "ssh"), HOME=self.folder, ANSIBLE_NOCOLOR="1",
            ANSIBLE_LOCAL_TEMP=os.path.join(self.folder, "tmp"), LC_ALL="C.UTF-8",
            ANSIBLE_SSH_ARGS="-o ControlMaster=auto -o ControlPersist=120s -o UserKnownHostsFile=/dev/null "
            "-o LogLevel=ERROR")
        if self.options.profile:
            environment["ANSIBLE_LOG_PATH"] = os.path.join(self.options.log, "ansible-times.log")
        command = [
            os.path.join(ansible or self.options.ansible[0], "ansible-playbook"), "-i",
            os.path.join(self.inventory, "hosts.json"), "--private-key", self.fleet.key, os.path.join(ANSIBLE, book),
            *arguments]
        if variables:
            command += ["-e", json.dumps(variables)]
        began = now()
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=1800, env=environment, cwd=ANSIBLE, stdin=subprocess.DEVNULL)
        took = now() - began
        with open(os.path.join(self.options.log, "ansible.log"), "a", encoding="utf-8") as file:
            file.write(f"$ {' '.join(command)}\n{result.stdout}\n{result.stderr}\n{took:.1f} s\n")
        said = result.stdout + result.stderr
        if (result.returncode != 0) != fails:
            raise Wrong(f"{book} ended with {result.returncode}:\n{said[-4000:]}")
        return said, took, sum(int(count) for count in re.findall(r"changed=(\d+)", said))

    def refused(self, what, expected, variables=None, book="site.yml"):
        """A playbook that must stop before it changes anything, with words that help."""
        said, took, changed = self.play(book, variables=variables, fails=True)
        shown = re.sub(r"\s+", " ", said.replace('\\"', '"'))
        missing = [text for text in expected if text not in shown]
        self.must(
            changed == 0 and not missing, f"{what}: stopped after {took:.0f} s, changed nothing, says {expected[0]!r}",
            f"changed={changed}, not said: {missing}\n{said[-2500:]}")

    # The fleet

    def boot(self, again=False):
        """Boots the hosts: fresh ones, or those whose folders an earlier run has left."""
        self.step("Hosts")
        path = template(self.options.cache, lambda text: print(f"         {text}", flush=True), self.options.debian)
        shared = os.path.join(self.folder, "shared")
        os.makedirs(shared, exist_ok=True)
        self.fleet = Fleet(
            os.path.join(self.folder, "hosts"), path, f"f{zlib.crc32(self.folder.encode()) % 10000:04}-",
            list(self.groups_of),
            [*(f"--bind-ro={folder}" for folder in self.options.bind), f"--bind={shared}:{SHARED}"])
        began = now()
        self.fleet.boot()
        if "web2" in self.groups_of:
            # A disk of its own for the second serving host, so that it can be full.
            self.fleet["web2"].disk("/var/lib/pagewright-agent", 192)
        worker = self.fleet[self.worker]
        worker.write("/usr/local/bin/slow-editor", SLOW_EDITOR.replace("SECONDS", str(self.options.slow)), 0o755)
        os.makedirs(worker.root + "/var/lib/slow-model", exist_ok=True)
        self.fleet.start()
        self.row(f"{len(self.groups_of)} hosts booted", f"{now() - began:.1f} s")
        self.write_inventory()
        self.api = API(f"http://{self.fleet['control'].address}:8085")
        if again:
            self.until(self.ready, "the coordinator is ready", 120)
            self.api.login(*USER)
            for name in self.agents:
                self.well(name)

    # Edits

    def edit(self, site, words, **more):
        return self.api.post(f"/sites/{site}/edits", {"prompt": words, **more})["job"]

    def job(self, job):
        return self.api.get(f"/jobs/{job['id']}")

    def let_slow_edits_end(self):
        """Theirs is the only program on the worker that waits for that long."""
        self.fleet[self.worker].inside("pkill", "-f", f"^sleep {self.options.slow}$")

    def ended(self, job, timeout=120):
        found = self.until(
            lambda: (seen := self.job(job))["state"] in ENDED and seen, f"the job {job['id']} ends", timeout)
        return found

    def succeeds(self, job, what, timeout=120):
        found = self.ended(job, timeout)
        self.must(found["state"] == "succeeded", f"{what}: {found.get('summary')}", found)
        return found

    # Waiting

    def installed(self, name, package):
        return self.fleet[name].inside("dpkg-query", "--show", "--showformat=${Version}", package).stdout.strip()

    def until(self, condition, what, timeout=60):
        """Waits for what `condition` returns to be true, and returns it."""
        deadline = now() + timeout
        seen = None
        while now() < deadline:
            try:
                if seen := condition():
                    return seen
            except (OSError, http.client.HTTPException, Refused, RuntimeError) as error:
                seen = error
            time.sleep(0.05)
        raise Wrong(f"{what}: not within {timeout} s (last: {seen})")

    def until_served(self, condition, site, timeout=60):
        for name in self.serving:
            def served():
                status, body = visit(self.fleet[name].address, site)
                return status == 200 and condition(body)
            self.until(served, f"{name} serves {site}", timeout)

    def answers(self, name):
        return visit(self.fleet[name].address, SITE, timeout=1)[0] == 200

    def ready(self):
        return self.api.request("GET", "/readyz", timeout=5)[0] == 200

    def well(self, name, timeout=90):
        try:
            self.until(lambda: self.fleet[name].agent("status")[1] == 0, f"{name} is well", timeout)
        except Wrong as wrong:
            raise Wrong(f"{wrong}: {self.fleet[name].agent('status')}") from wrong

    def process(self, name, unit):
        return self.fleet[name].inside("systemctl", "show", "-p", "MainPID", "--value", unit).stdout.strip()

    # The end

    def table(self):
        print(f"\n{'what':<52}{'measured':<34}target")
        for what, measured, target in self.rows:
            print(f"{what:<52}{measured:<34}{target}")
        for failure in self.failures:
            print(f"WRONG: {failure.splitlines()[0]}")

    def logs(self):
        for name in self.groups_of:
            with open(os.path.join(self.options.log, f"journal-{name}.log"), "w", encoding="utf-8") as file:
                file.write(self.fleet[name].inside("journalctl", "--no-pager", "-o", "short-precise", check=False).stdout)
            for unit in ("pagewright-coordinator", "pagewright-agent", "pagewright-nginx"):
                said = self.fleet[name].inside("journalctl", "-u", unit, "-n", "15", "--no-pager", check=False).stdout
                if "No entries" not in said:
                    print(f"--- {unit} on {name}\n{said}", flush=True)
