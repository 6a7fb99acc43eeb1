"""Hosts with systemd as their first process, each with a network of its own, on this machine."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time

# What the hosts have from the beginning, and what the playbooks will ask for: its packages are fetched once, so that a
# run needs no network and measures none.
BASE = [
    "systemd", "systemd-sysv", "dbus", "openssh-server", "python3", "python3-apt", "iproute2", "procps", "adduser",
    "netcat-openbsd"]
WANTED = [
    "ca-certificates", "nftables", "openssl", "nginx-light", "bubblewrap", "socat", "util-linux", "redis-server", "libpq5",
    "libsqlite3-0", "zlib1g", "libcrypt1"]
# Its name, and what has another name in each. Debug programs need more than the packages do.
RELEASES = {
    "12": ("bookworm", ["postgresql-15", "libarchive13", "libgumbo1", "libhiredis0.14"]),
    "13": ("trixie", ["postgresql-17", "libarchive13t64"])}
NETWORK = "10.78.0."
# What a command in a host has, as root's shell there; nothing of ours.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}


class CannotBoot(Exception):
    """This machine cannot run such hosts; the text says why."""


def run(command, check=True, timeout=600, **options):
    result = subprocess.run(command, capture_output=True, text=True, timeout=timeout, **options)
    if check and result.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {(result.stderr or result.stdout).strip()[-2000:]}")
    return result


def requirements():
    """Throws the reason for which this machine cannot boot hosts."""
    if os.geteuid() != 0:
        raise CannotBoot("hosts are booted by root: run it with sudo")
    missing = [name for name in ("systemd-nspawn", "mmdebstrap", "ip", "nsenter", "ssh-keygen") if not shutil.which(name)]
    if missing:
        raise CannotBoot(f"{', '.join(missing)} missing: make fleet-packages")
    if os.statvfs("/proc/sys").f_flag & os.ST_RDONLY:
        raise CannotBoot("/proc/sys is read-only: this is a container without the right to boot hosts")
    for what, command in (
        ("network namespaces", ["unshare", "--net", "true"]), ("mounts", ["unshare", "--mount", "true"]),
        ("bridges", ["unshare", "--net", "ip", "link", "add", "probe", "type", "bridge"]),
        ("pairs of virtual cables", ["unshare", "--net", "ip", "link", "add", "probe", "type", "veth"]),
    ):
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            raise CannotBoot(f"this machine gives no {what}: {result.stderr.strip()}")


def template(cache, say, debian="12"):
    """A folder with that Debian, made once. Returns its path."""
    codename, more = RELEASES[debian]
    path = os.path.join(cache, f"debian-{debian}-1")
    if os.path.exists(path + ".complete"):
        return path
    say(f"Making a Debian template in {path}, once")
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(cache, exist_ok=True)
    began = time.monotonic()
    run([
        "mmdebstrap", "--quiet", "--variant=important", "--include=" + ",".join(BASE),
        "--skip=cleanup/apt/lists,cleanup/apt/cache",
        "--customize-hook=chroot \"$1\" apt-get -qq -y --no-install-recommends --download-only install "
        + " ".join(WANTED + more),
        "--customize-hook=chroot \"$1\" systemctl -q disable systemd-timesyncd.service apt-daily.timer "
        "apt-daily-upgrade.timer 2>&1 || true",
        "--customize-hook=rm -f \"$1/etc/machine-id\" && : > \"$1/etc/machine-id\"",
        "--customize-hook=rm -f \"$1/etc/hostname\" \"$1/etc/resolv.conf\"",
        codename, path], timeout=1800)
    with open(path + ".complete", "w", encoding="utf-8") as file:
        file.write(f"{time.monotonic() - began:.0f} s\n")
    say(f"made in {time.monotonic() - began:.0f} s")
    return path


class Machine:
    """One host: a copy of the template, a network namespace, and systemd in it."""

    def __init__(self, fleet, name, number):
        self.fleet, self.name, self.address = fleet, name, NETWORK + str(10 + number)
        self.space = f"{fleet.prefix}{name}"
        self.folder = os.path.join(fleet.folder, name)
        self.root = os.path.join(self.folder, "root")
        self.disks = []
        self.keeps_running = True
        self.leader = None
        self.boots = 0
        self._process = None
        self._changed = threading.Condition()

    def make(self):
        """Its file system and its network. What an earlier life left in its folder is there again."""
        for part in ("root", "upper", "work"):
            os.makedirs(os.path.join(self.folder, part), exist_ok=True)
        run(["mount", "-t", "overlay", self.space, "-o",
             f"lowerdir={self.fleet.template},upperdir={self.folder}/upper,workdir={self.folder}/work", self.root])
        self._connect()
        if os.path.exists(self.root + "/root/.ssh/authorized_keys"):
            return
        self.write("/etc/hostname", self.name + "\n")
        self.write("/etc/hosts", "127.0.0.1 localhost\n" + "".join(
            f"{machine.address} {machine.name}\n" for machine in self.fleet.machines.values()))
        self.write("/root/.ssh/authorized_keys", self.fleet.public_key, 0o600)
        self.write("/etc/resolv.conf", "")

    def _connect(self):
        run(["ip", "netns", "add", self.space])
        run(["ip", "-n", self.space, "link", "set", "lo", "up"])
        cable = f"{self.fleet.prefix}{self.name}"[:15]
        run(["ip", "link", "add", cable, "type", "veth", "peer", "name", "host0", "netns", self.space])
        run(["ip", "link", "set", cable, "master", "fleet0", "up"])
        run(["ip", "-n", self.space, "addr", "add", self.address + "/24", "dev", "host0"])
        run(["ip", "-n", self.space, "link", "set", "host0", "up"])

    def write(self, path, text, mode=0o644):
        full = self.root + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(full, mode)

    def disk(self, path, mebibytes):
        """Gives the host a file system of its own at `path`, of that size, before it boots."""
        image = os.path.join(self.folder, f"disk{len(self.disks)}")
        if not os.path.exists(image):
            run(["truncate", "-s", f"{mebibytes}M", image])
            run(["mkfs.ext4", "-q", "-m", "0", image])
        os.makedirs(self.root + path, exist_ok=True)
        run(["mount", "-o", "loop", image, self.root + path])
        self.disks.append(self.root + path)

    def start(self):
        threading.Thread(target=self._keep, daemon=True).start()

    def _keep(self):
        """Boots the host, and boots it again when it asks for that (nspawn then ends with 133)."""
        while self.keeps_running:
            with open(os.path.join(self.folder, "console"), "ab") as console:
                process = subprocess.Popen(
                    ["systemd-nspawn", "-q", "-b", "-D", self.root, "--keep-unit", "--register=no", "-M", self.space,
                     "--console=pipe", "--capability=all", "--resolv-conf=off", "--timezone=off",
                     f"--network-namespace-path=/run/netns/{self.space}", *self.fleet.binds],
                    stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True,
                    # A sandbox mounts a /proc of its own, which the kernel allows only where the host's is whole.
                    env=dict(os.environ, SYSTEMD_NSPAWN_API_VFS_WRITABLE="1"))
            with self._changed:
                self._process, self.leader = process, None
                self.boots += 1
                self._changed.notify_all()
            if process.wait() != 133:
                return

    def inside(self, *command, check=True, timeout=120, input=None):
        """Runs a command in the host."""
        leader = self.leader or self._find_leader()
        return run(["nsenter", "-t", str(leader), "-m", "-u", "-i", "-n", "-p", "-C", "env", "-C", "/", *command],
                   check=check, timeout=timeout, input=input, env=ENVIRONMENT)

    def _find_leader(self):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with self._changed:
                process = self._process
            if process and process.poll() is None:
                for child in self._children(process.pid):
                    try:
                        with open(f"/proc/{child}/comm", encoding="ascii") as comm:
                            if comm.read().strip() == "systemd":
                                self.leader = int(child)
                                return self.leader
                    except FileNotFoundError:
                        pass
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} did not boot:\n{self.console()}")

    @staticmethod
    def _children(pid):
        try:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                return file.read().split()
        except (FileNotFoundError, ProcessLookupError):
            return []

    def console(self):
        try:
            with open(os.path.join(self.folder, "console"), errors="replace") as file:
                return file.read()[-3000:]
        except FileNotFoundError:
            return ""

    def wait(self, after=0, timeout=120):
        """Waits until the host runs, having been booted more often than `after` times."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.boots > after:
                try:
                    said = self.inside("systemctl", "is-system-running", check=False).stdout.strip()
                    if said in ("running", "degraded"):
                        return said
                except (RuntimeError, subprocess.TimeoutExpired):
                    self.leader = None
            time.sleep(0.1)
        raise RuntimeError(f"{self.name} does not run after {timeout} s:\n{self.console()}")

    def give_control_groups(self):
        """Lets its systemd set limits, until its next boot: nspawn gives the kernel's groups read-only."""
        for controller in ("memory", "pids", "cpu", "cpuacct"):
            self.inside("mount", "-o", "remount,rw,bind", f"/sys/fs/cgroup/{controller}")
        self.inside("systemctl", "daemon-reexec")

    def reboot(self):
        before = self.boots
        self.inside("systemctl", "reboot", check=False)
        self.wait(after=before)

    def stop(self):
        self.keeps_running = False
        process = self._process
        if process and process.poll() is None:
            try:
                self.inside("systemctl", "poweroff", "--force", check=False, timeout=10)
                process.wait(15)
            except (RuntimeError, subprocess.TimeoutExpired):
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def remove(self):
        for path in [*self.disks, self.root]:
            run(["umount", "-l", path], check=False)
        run(["ip", "netns", "del", self.space], check=False)

    def agent(self, *arguments):
        """What `pagewright-agent … --json` says there, and its exit code."""
        result = self.inside("pagewright-agent", *arguments, "--json", check=False)
        return (json.loads(result.stdout) if result.stdout.strip().startswith(("{", "[")) else None), result.returncode


class Fleet:
    """Machines on one bridge. This process is on it too: it is in the bridge's network namespace."""

    def __init__(self, folder, template, prefix, names, binds=()):
        self.folder, self.template, self.prefix, self.binds = folder, template, prefix, list(binds)
        os.makedirs(folder, exist_ok=True)
        self.key = os.path.join(folder, "key")
        if not os.path.exists(self.key):
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key])
        with open(self.key + ".pub", encoding="ascii") as file:
            self.public_key = file.read()
        self.machines = {}
        for number, name in enumerate(names):
            self.machines[name] = Machine(self, name, number)

    def __getitem__(self, name):
        return self.machines[name]

    def boot(self):
        # Names of network namespaces are files there; ours go with our mounts.
        os.makedirs("/run/netns", exist_ok=True)
        run(["mount", "-t", "tmpfs", "fleet", "/run/netns"])
        run(["ip", "link", "set", "lo", "up"])
        run(["ip", "link", "add", "fleet0", "type", "bridge"])
        run(["ip", "link", "set", "fleet0", "up"])
        run(["ip", "addr", "add", NETWORK + "1/24", "dev", "fleet0"])
        for machine in self.machines.values():
            machine.make()

    def add(self, name):
        """One more host, fresh and booted."""
        machine = self.machines[name] = Machine(self, name, len(self.machines))
        machine.make()
        machine.start()
        machine.wait()
        return machine

    def start(self):
        for machine in self.machines.values():
            machine.start()
        for machine in self.machines.values():
            machine.wait()

    def stop(self):
        threads = [threading.Thread(target=machine.stop) for machine in self.machines.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(40)
        for machine in self.machines.values():
            machine.remove()
