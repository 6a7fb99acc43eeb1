"""Parts of test-fleet: wrong input, provisioning, the main job, how the services run, removal."""

import json
import os
import re
import shutil
import time

from fleet_test import DOMAIN, SITE, USER, now, visit
from machines import NETWORK, run


class Parts:
    def bad_input(self):
        self.step("Wrong input stops before anything changes")
        play, web = self.refused, self.fleet["web1"]
        play("a sites domain that is none", ["control", "coordinator_sites_domain", "Next:"], {"coordinator_sites_domain": "-x-"})
        self.write_inventory(without=("coordinator_sites_domain",))
        play("a sites domain that is missing", ["coordinator_sites_domain", "control"])
        self.write_inventory()
        if self.options.reduced:
            # Each costs seconds; the rest is for the large fleet.
            with self.another_clock(web):
                play("a clock two days off", ["The clock of web1 is 172", "Next:"])
            return
        play("a number that is none", ["agent_worker_slots"], {"agent_worker_slots": "many"})
        play("a password that is missing", ["postgresql_password"], {"postgresql_password": ""})
        with self.small_disk(web, "/var", 96):
            play("no room", ["web1 has 9", "MiB and", "inodes free below /var", "Next:"])
        with self.small_disk(web, "/var/lib/pagewright-agent", 8):
            play("no room where the agent keeps its state", ["web1 has 8MiB free below /var/lib/pagewright-agent", "Next:"])
        play("no nginx", ["web1 has no nginx", "Next:"], {"agent_serving_nginx": False})
        with self.another_clock(web):
            play("a clock two days off", ["The clock of web1 is 172", "Next:"])
        with self.another_distribution(web):
            play("an unsupported distribution", ["web1 runs", "Next:"])
        web.inside("systemd-run", "--quiet", "--unit=squatter", "nc", "-l", "-k", "-p", "80")
        self.until(lambda: "LISTEN" in web.inside("ss", "-ltn", "sport = :80").stdout, "the squatter listens")
        play("port 80 taken", ["web1", "another program has a port", "nc", "Next:"])
        web.inside("systemctl", "stop", "squatter")
        _, took, changed = self.play("site.yml", "--check")
        there = web.inside("dpkg-query", "--show", "pagewright-agent", check=False).returncode == 0
        self.must(
            not there and not os.path.exists(web.root + "/etc/pagewright"),
            f"check mode on fresh hosts says {changed} changes and makes none ({took:.0f} s)")

    class Replaced:
        """Something of a host that is otherwise for a while."""

        def __init__(self, begin, end):
            self.begin, self.end = begin, end

        def __enter__(self):
            self.begin()

        def __exit__(self, *_):
            self.end()

    def small_disk(self, machine, path, mebibytes):
        """An empty file system of that size over a folder of the host."""
        there = machine.inside("test", "-d", path, check=False).returncode == 0

        def begin():
            machine.inside("mkdir", "-p", path)
            machine.inside("mount", "-t", "tmpfs", "-o", f"size={mebibytes}M,nr_inodes=20000", "small", path)

        def end():
            machine.inside("umount", "-l", path)
            if not there:
                machine.inside("rmdir", path)

        return self.Replaced(begin, end)

    def another_clock(self, machine):
        """Never the machine's own clock: a program in its place says what it would say two days later."""
        return self.Replaced(
            lambda: machine.write("/usr/local/bin/date", '#!/bin/sh\nexec /usr/bin/date -d "+2 days" "$@"\n', 0o755),
            lambda: machine.inside("rm", "/usr/local/bin/date"))

    def another_distribution(self, machine):
        def begin():
            original = machine.inside("cat", "/etc/os-release").stdout
            machine.inside("cp", "/etc/os-release", "/etc/os-release.kept")
            machine.inside("sh", "-c", "rm /etc/os-release; cat > /etc/os-release", input=original.replace(
                "ID=debian", "ID=fedora").replace("Debian GNU/Linux", "Fedora Linux").replace('"12', '"40'))
            machine.inside("mv", "/etc/debian_version", "/etc/debian_version.kept")

        def end():
            machine.inside("mv", "/etc/os-release.kept", "/etc/os-release")
            machine.inside("mv", "/etc/debian_version.kept", "/etc/debian_version")

        return self.Replaced(begin, end)

    def provision(self):
        self.step("From fresh hosts to the first site served")
        began = now()
        _, took, changed = self.play("site.yml")
        self.row(f"site.yml on {len(self.groups_of)} fresh hosts", f"{took:.0f} s, changed={changed}")
        self.api.register(*USER, "Ada")
        self.api.post("/sites", {"slug": "bakery", "name": "Anna's Bakery", "template": "bakery"})
        self.until_served(lambda body: b"<h1" in body, SITE)
        self.row("fresh hosts to the first site served", f"{now() - began:.0f} s", "≤ 300 s")
        for name in self.groups_of:
            failed = self.fleet[name].inside("systemctl", "--failed", "--plain", "--no-legend", check=False).stdout
            ours = [line for line in failed.splitlines() if "pagewright" in line]
            self.must(not ours, f"no unit of ours failed on {name}", ours)
        tokens = self.fleet["web1"].inside(
            "sh", "-c", "grep -rl pwj1 /etc /var/lib /var/log /root /tmp 2>/dev/null || true").stdout
        self.must(not tokens.strip(), "no join token is left on a host", tokens)

    def again(self):
        self.step("The second run")
        said, took, changed = self.play("site.yml")
        self.row("second run", f"{took:.0f} s, changed={changed}", "≤ 60 s, changed=0")
        self.must(changed == 0, "the second run changed nothing", re.findall(r"changed: \[.*", said))
        if self.options.reduced:
            return
        said, took, changed = self.play("site.yml", "--check")
        self.must(changed == 0, f"check mode works and would change nothing ({took:.0f} s)", re.findall(r"changed: \[.*", said))
        for other in self.options.ansible[1:]:
            version = run([os.path.join(other, "ansible"), "--version"]).stdout.splitlines()[0]
            said, took, changed = self.play("site.yml", ansible=other)
            self.must(changed == 0, f"{version} agrees: changed=0 ({took:.0f} s)", re.findall(r"changed: \[.*", said))
        address = NETWORK + "250:8443"
        self.refused(
            "a wrong coordinator address", ["cannot reach a coordinator at", "Next:"], {"agent_coordinators": address},
            book="workers.yml")
        self.well("work")
        before = self.process("control", "pagewright-coordinator")
        self.refused(
            "a setting that the coordinator would refuse", ["is debug, info, notice", "control", "Correct it"],
            {"coordinator_settings": {"log.level": "loud"}}, book="coordinator.yml")
        self.must(self.process("control", "pagewright-coordinator") == before, "and the coordinator goes on")
        self.misconfigured()

    def misconfigured(self):
        """By hand, past the playbook."""
        control, unit, path = self.fleet["control"], "pagewright-coordinator", "/etc/pagewright/coordinator.yaml"
        control.inside("sh", "-c", f"cp -p {path} {path}.kept; echo 'prot: 1' >> {path}")
        control.inside("systemctl", "restart", unit, check=False)
        time.sleep(5)
        said = control.inside("systemctl", "show", "-p", "Result,ExecMainStatus,NRestarts,ActiveState", unit).stdout
        self.must(
            {"ExecMainStatus=78", "NRestarts=0", "ActiveState=failed"} <= set(said.split()),
            "a coordinator whose configuration makes no sense ends once, and is not started again and again", said)
        log = control.inside("journalctl", "-u", unit, "-n", "5", "--no-pager", "-o", "cat").stdout
        self.must("there is no setting prot" in log, "and its log names the line", log)
        control.inside("mv", f"{path}.kept", path)
        control.inside("systemctl", "start", unit)
        self.until(self.ready, "with the right one it is ready", 60)
        for name in self.agents:
            self.well(name)

    def main_job(self):
        self.step("The main job, over the network")
        self.api.login(*USER)
        # New words each time: an edit begins with what the one before made.
        words = f"Fresh bread at {time.strftime('%H:%M:%S')}"
        job = self.succeeds(self.edit("bakery", f'Change the headline to "{words}"'), "an edit in words on the worker")
        self.until_served(lambda body: words.encode() in body, "bakery--preview." + DOMAIN)
        self.saw("the serving hosts show it in the preview")
        self.must(words.encode() not in visit(self.fleet["web1"].address, SITE)[1], "and not on the live site")
        self.api.until_looked_at("bakery", job["version"])
        began = now()
        self.api.post("/sites/bakery/promote", {"version": job["version"]})
        self.until_served(lambda body: words.encode() in body, SITE)
        self.row("promote until all hosts serve it", f"{(now() - began) * 1000:.0f} ms")
        self.api.post("/sites/bakery/rollback", {"version": 1})
        self.until_served(lambda body: words.encode() not in body and b"<h1" in body, SITE)
        self.saw("rolled back")

    def isolation(self):
        self.step("How the services run")
        for name, limits in (("control", {"pagewright-coordinator": 3.0}), ("work", {"pagewright-agent": 4.5}),
                             ("web1", {"pagewright-agent": 4.5, "pagewright-nginx": 4.5})):
            for unit, limit in limits.items():
                said = self.fleet[name].inside(
                    "systemd-analyze", "security", "--no-pager", f"{unit}.service", check=False).stdout
                found = float(re.search(r"exposure level for .*: ([0-9.]+)", said)[1])
                self.must(found <= limit, f"{unit} on {name}: exposure {found}, at most {limit}")
        # Idle is an agent that had nothing to do for two minutes: then it gives back what an edit or its start needed.
        time.sleep(130)
        for name in ("work", "web1"):
            self.measure_agent(name)
        for name, unit in (("control", "pagewright-coordinator"), ("web1", "pagewright-agent")):
            said = self.fleet[name].inside("journalctl", "-u", unit, "--no-pager", "-o", "cat").stdout
            # The Swift runtime complains once when it starts, and did so every few seconds.
            noise, starts = said.count("Failed to set thread priority"), said.count(f"Starting {unit}")
            nice = self.fleet[name].inside("ps", "-o", "ni=", "-p", self.process(name, unit)).stdout.strip()
            if int(nice) > 0:
                # Threads of a program that is less important from its beginning may not be what they ask for.
                self.row(f"complaints in the log of {unit}", f"{noise} lines, not judged: it runs with nice {nice}")
                continue
            self.must(noise <= starts, f"no noise in the log of {unit} on {name}", f"{noise} lines, {starts} starts")
        # As the user that both are; to root an empty folder is shown.
        look = "nsenter -t $(cat /run/pagewright-nginx/nginx.pid) -m {} ls -A /var/lib/pagewright-agent/identity"
        seen = self.fleet["web1"].inside("sh", "-c", look.format("runuser -u pagewright-agent --"), check=False)
        self.must(seen.returncode != 0 and not seen.stdout, "nginx cannot see the host's identity", seen)
        seen = self.fleet["web1"].inside("sh", "-c", look.format(""), check=False)
        self.must(not seen.stdout, "and not if it were root", seen)
        said = self.fleet["work"].inside(
            "runuser", "-u", "pagewright-agent", "--", "pagewright-agent", "doctor", "--json", check=False)
        self.must(said.returncode in (0, 1), "pagewright-agent doctor on the worker finds nothing bad", said.stdout)

    def measure_agent(self, name):
        machine = self.fleet[name]
        status, code = machine.agent("status")
        self.must(code == 0, f"pagewright-agent status on {name} is ok", status)
        # In the host, so that entering it is not measured.
        said = machine.inside(
            "bash", "-c", "TIMEFORMAT=%R; for i in 1 2 3 4 5 6 7 8 9; do time pagewright-agent status > /dev/null; done")
        times = sorted(float(line) * 1000 for line in said.stderr.split())
        self.row(f"status on {name}, process and all (median)", f"{times[len(times) // 2]:.0f} ms", "≤ 50 ms")
        pid = self.process(name, "pagewright-agent")
        facts = machine.inside("cat", f"/proc/{pid}/status").stdout
        resident = int(re.search(r"VmRSS:\s+(\d+)", facts)[1]) * 1024 / 1e6
        own = int(re.search(r"RssAnon:\s+(\d+)", facts)[1]) * 1024 / 1e6
        self.row(f"agent on {name}, resident (anonymous)", f"{resident:.1f} ({own:.1f}) MB", "≤ 30 (8) MB")

        def ticks():
            return sum(map(int, machine.inside("cat", f"/proc/{pid}/stat").stdout.rsplit(")", 1)[1].split()[11:13]))

        before, began = ticks(), now()
        time.sleep(20)
        used = (ticks() - before) / os.sysconf("SC_CLK_TCK") / (now() - began) * 100
        self.row(f"agent on {name}, idle", f"{used:.2f} % of a core", "≤ 0.2 %")
        user = facts.split("Uid:")[1].split()[0]
        self.must(user != "0", f"the agent on {name} is not root")

    def removal(self):
        self.step("Removing, purging, and joining again")
        work = self.fleet["work"]

        def apt(*words):
            work.inside("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y", *words, timeout=300)

        apt("remove", "pagewright-agent")
        self.must(
            work.inside("test", "-e", "/var/lib/pagewright-agent/identity/current", check=False).returncode == 0,
            "remove keeps the state")
        self.must(work.inside("systemctl", "is-active", "pagewright-agent", check=False).returncode != 0, "and stops the agent")
        left = work.inside("pgrep", "-u", "pagewright-agent", check=False).stdout.split()
        self.must(not left, "no process of it is left", left)
        apt("purge", "pagewright-agent")
        left = work.inside(
            "sh", "-c", "ls -d /var/lib/pagewright-agent /etc/pagewright /etc/default/pagewright-agent "
            "/etc/systemd/system/*/pagewright-agent* 2>/dev/null; getent passwd pagewright-agent", check=False).stdout.split()
        self.must(not left, "purge leaves nothing", left)
        name = next(file for file in os.listdir(self.packages) if file.startswith("pagewright-agent_"))
        shutil.copy(os.path.join(self.packages, name), work.root + "/root/" + name)
        apt("--no-install-recommends", "install", "/root/" + name)
        self.must(
            work.inside("systemctl", "is-enabled", "pagewright-agent", check=False).stdout.strip() == "enabled"
            and work.inside("systemctl", "is-active", "pagewright-agent", check=False).stdout.strip() == "inactive",
            "installed again it is enabled, and not started: the host has not joined")
        modes = work.inside(
            "stat", "-c", "%a %U %n", "/var/lib/pagewright-agent", "/var/lib/pagewright-agent/identity").stdout.split("\n")
        self.must(
            modes[0].startswith("711 pagewright-agent") and modes[1].startswith("700 pagewright-agent"),
            "its folders have the right modes", modes)
        self.join_too_late()
        self.play("workers.yml")
        self.well("work")
        self.saw("the playbook asks for another one, and it joins as a new host")
        self.main_job()

    def join_too_late(self):
        """A token lasts ten minutes; this one's are over."""
        said = self.fleet["control"].inside(
            "runuser", "-u", "pagewright-coordinator", "--", "pagewright-coordinator", "invite", "--roles", "worker",
            "--json").stdout
        self.fleet["base"].inside(
            "runuser", "-u", "postgres", "--", "psql", "-q", "-d", "pagewright", "-c",
            "UPDATE invitation SET expires_at = created_at WHERE used_at IS NULL")
        said = self.fleet["work"].inside(
            "runuser", "-u", "pagewright-agent", "--", "pagewright-agent", "join", "--coordinator",
            self.fleet["control"].address + ":8443", "--token", "-", "--name", "work", input=json.loads(said)["token"],
            check=False)
        self.must(
            said.returncode != 0 and "expired" in said.stderr.lower() and "next:" in said.stderr.lower(),
            f"a token that expired is refused: {said.stderr.splitlines()[0]}", said.stderr)
        left = self.fleet["work"].inside("test", "-e", "/var/lib/pagewright-agent/identity/current", check=False)
        self.must(left.returncode != 0, "and the host has not joined")
        self.join_with_another_clock()

    def join_with_another_clock(self):
        """Past the playbook, which would have seen it: the host's clock is two days behind."""
        said = self.fleet["control"].inside(
            "runuser", "-u", "pagewright-coordinator", "--", "pagewright-coordinator", "invite", "--roles", "worker",
            "--json").stdout
        self.move_clock("work", -2 * 86400, "/etc/clock-behind")
        said = self.fleet["work"].inside(
            "runuser", "-u", "pagewright-agent", "--", "env", "LD_PRELOAD=/usr/local/lib/clock_offset.so",
            "CLOCK_OFFSET_FILE=/etc/clock-behind", "pagewright-agent", "join", "--coordinator",
            self.fleet["control"].address + ":8443", "--token", "-", "--name", "work", input=json.loads(said)["token"],
            check=False)
        self.must(
            said.returncode != 0 and "clock" in said.stderr.lower() and "next:" in said.stderr.lower(),
            f"a host whose clock is two days behind is refused: {said.stderr.splitlines()[0]}", said.stderr)
        spent = self.fleet["base"].inside(
            "runuser", "-u", "postgres", "--", "psql", "-qAt", "-d", "pagewright", "-c",
            "SELECT used_at IS NOT NULL FROM invitation ORDER BY created_at DESC LIMIT 1").stdout.strip()
        self.must(spent == "f", "and its token is not spent", spent)
