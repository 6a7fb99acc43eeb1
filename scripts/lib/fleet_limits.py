"""A part of test-fleet: what edits may take from what visitors wait for, as the kernel of booted hosts has it."""

import re
import threading

from fleet_test import USER, now

TASKS, SERVING = "pagewright-tasks.slice", "pagewright-serving.slice"

# From a moment on computes on every processor for six seconds, and says how many it was given.
COMPUTE = """\
import os, resource, sys, time
begin = float(sys.argv[1])
for _ in range(os.cpu_count()):
    if os.fork() == 0:
        time.sleep(max(0, begin - time.monotonic()))
        while time.monotonic() < begin + 6:
            pass
        os._exit(0)
for _ in range(os.cpu_count()):
    os.wait()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime)
"""


class Limits:
    def limits(self):
        self.step("What edits may take from what visitors wait for")
        self.api.login(*USER)
        work, web = self.fleet[self.worker], self.fleet["web1"]
        for machine in (work, web):
            machine.give_control_groups()
            machine.inside("systemctl", "restart", "pagewright-agent")
        web.inside("systemctl", "restart", "pagewright-nginx")
        for name in self.agents:
            self.well(name)
        self.until(lambda: self.answers("web1"), "web1 serves again")
        self.read_limits(work, web)
        slow = self.edit("bakery", "Take your time", engine="codex")
        self.until(lambda: self.job(slow)["state"] == "leased", "the slow edit runs")
        editor = self.until(
            lambda: work.inside("pgrep", "-f", f"^sleep {self.options.slow}$", check=False).stdout.split(), "its program runs")
        for controller in ("memory", "cpu"):
            group = self.group_of(work, editor[0], controller)
            self.must(f"/{TASKS}/" in group, f"the program of an edit is in {TASKS} ({controller}: {group})")
        nginx = self.process("web1", "pagewright-nginx")
        group = self.group_of(web, nginx, "cpu")
        self.must(f"/{SERVING}/" in group, f"nginx is in {SERVING} ({group})")
        self.crowd(web)
        self.eat(work)
        self.must(self.job(slow)["state"] == "leased", "the edit beside it runs on", self.job(slow))
        self.let_slow_edits_end()
        self.succeeds(slow, "and ends well")

    @staticmethod
    def group_of(machine, process, controller):
        said = machine.inside("cat", f"/proc/{process}/cgroup").stdout
        return next(line.split(":")[2] for line in said.splitlines() if controller in line.split(":")[1].split(",")) + "/"

    def read_limits(self, work, web):
        """What the units say, and what became of it in the kernel: its numbers for a weight are others."""
        memory = int(re.search(r"MemTotal:\s+(\d+)", work.inside("cat", "/proc/meminfo").stdout)[1]) * 1024
        said = dict(
            line.split("=", 1) for line in work.inside(
                "systemctl", "show", "-p", "CPUWeight,MemoryMax,MemoryHigh,TasksMax,IOWeight", TASKS).stdout.splitlines())
        self.must(
            said["CPUWeight"] == "20" and said["TasksMax"] == "4096" and 0.79 < int(said["MemoryMax"]) / memory < 0.81
            and 0.69 < int(said["MemoryHigh"]) / memory < 0.71,
            f"{TASKS}: weight 20, at most 80 % of memory, 4,096 processes", said)
        said = web.inside("systemctl", "show", "-p", "CPUWeight", "--value", SERVING).stdout.strip()
        self.must(said == "1000", f"{SERVING}: weight 1,000", said)

        def read(machine, controller, unit, name):
            path = f"/sys/fs/cgroup/{controller}/pagewright.slice/{unit}/{name}"
            return int(machine.inside("cat", path).stdout)

        limit = read(work, "memory", TASKS, "memory.limit_in_bytes")
        self.must(0.79 < limit / memory < 0.81, f"the kernel ends tasks at {limit / 1e9:.1f} of {memory / 1e9:.1f} GB", limit)

    def crowd(self, web):
        """Both want all processors of a host that serves."""
        got, begin = {}, now() + 3  # hosts have the same monotonic clock

        def compute(unit):
            said = web.inside(
                "systemd-run", "--quiet", "--wait", "--pipe", f"--slice={unit}", "python3", "-c", COMPUTE, str(begin),
                timeout=60)
            got[unit] = float(said.stdout)

        threads = [threading.Thread(target=compute, args=(unit,)) for unit in (TASKS, SERVING)]
        with self.visitors() as visitors:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.none_failed(visitors, "a host whose processors are all wanted")
        share = got[SERVING] / max(got[TASKS], 0.01)
        self.row("processors: what serves to what edits, both wanting all", f"{share:.0f} to 1", "50 to 1 by weight")
        self.must(share > 8, "what serves has the processors first", got)

    def eat(self, work):
        """Somebody in the slice of tasks takes more than all tasks may have. Its limit is lowered for it: 80 % of this
        machine's memory would be that of other hosts."""
        work.inside("systemctl", "set-property", "--runtime", TASKS, "MemoryMax=400M")
        try:
            before = self.process(self.worker, "pagewright-agent")
            said = work.inside(
                "systemd-run", "--wait", "--pipe", f"--slice={TASKS}", "-p", "OOMScoreAdjust=500", "python3", "-c",
                "b = bytearray(1 << 30); print(len(b))", check=False, timeout=60)
            self.must(
                said.returncode != 0 and not said.stdout.strip(), "who takes more memory than tasks may have is ended", said)
            self.must(
                self.process(self.worker, "pagewright-agent") == before, "the agent, which is in the same slice, goes on")
            self.well(self.worker)
        finally:
            work.inside("systemctl", "revert", TASKS, check=False)
