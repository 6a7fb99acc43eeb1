"""Parts of test-fleet: what happens to fleets."""

import os
import re
import shutil
import subprocess
import time

from api import Refused
from fleet_test import ROOT, SITE, USER, now, visit
from machines import run


class Faults:
    def restarts(self):
        self.step("Restarts and a missing coordinator, while visitors ask")
        with self.visitors() as visitors:
            for name in self.serving:
                self.fleet[name].inside("systemctl", "restart", "pagewright-agent")
                self.well(name)
        self.none_failed(visitors, "agents restarted")
        reloads = self.fleet["web1"].agent("status")[0]["nginx"]["reloads"]
        self.must(reloads == 0, "nginx was not reloaded for it")
        with self.visitors() as visitors:
            self.fleet["web1"].inside("kill", "-9", self.process("web1", "pagewright-agent"))
            self.well("web1")
        self.none_failed(visitors, "an agent killed")
        # A program that hangs is replaced: the watchdog. Stopped, it cannot say that it lives.
        pid = self.process("work", "pagewright-agent")
        self.fleet["work"].inside("kill", "-STOP", pid)
        began = now()
        away = self.options.away
        with self.visitors() as visitors:
            self.fleet["control"].inside("systemctl", "stop", "pagewright-coordinator")
            time.sleep(away)
            status, code = self.fleet["web1"].agent("status")
            self.must(code == 1, "status says degraded meanwhile (exit code 1)", (code, status))
            self.fleet["control"].inside("systemctl", "start", "pagewright-coordinator")
            for name in self.serving:
                self.well(name)
        self.none_failed(visitors, f"coordinator away for {away} s")
        self.until(
            lambda: self.process("work", "pagewright-agent") not in (pid, "0"), "the watchdog replaced an agent that hung", 120)
        # It was replaced while the coordinator was away; hosts and this program have the same monotonic clock.
        started = self.fleet["work"].inside(
            "systemctl", "show", "-p", "ExecMainStartTimestampMonotonic", "--value", "pagewright-agent").stdout
        self.row("hanging agent replaced", f"{int(started) / 1e6 - began:.0f} s after it stopped", "60 s watchdog")
        self.well("work")

    def reboots(self):
        self.step("Every host is rebooted")
        for name in reversed(self.groups_of):
            began = now()
            self.fleet[name].reboot()
            serves = name in self.serving
            if serves:
                self.until(lambda: self.answers(name), f"{name} serves again", 60)
            self.row(f"{name} rebooted", f"{now() - began:.1f} s" + (" until it served" if serves else ""))
        self.until(self.ready, "the coordinator is ready again", 120)
        for name in self.agents:
            self.well(name)
        self.main_job()

    def firewalls(self):
        self.step("Firewalls")

        def reaches(name, port, machine=None):
            if machine:
                command = ["nc", "-z", "-w", "2", self.fleet[name].address, str(port)]
                return self.fleet[machine].inside(*command, check=False).returncode == 0
            return subprocess.run(["timeout", "3", "bash", "-c", f"exec 3<>/dev/tcp/{self.fleet[name].address}/{port}"],
                                  capture_output=True).returncode == 0

        for name, port in (("web1", 22), ("web1", 80), ("control", 8085), ("control", 8443)):
            self.must(reaches(name, port), f"{name}:{port} is open")
        for name in self.groups_of:
            self.fleet[name].inside("systemd-run", "--quiet", "--unit=listener", "nc", "-l", "-k", "-p", "9999")
            self.until(lambda: "LISTEN" in self.fleet[name].inside("ss", "-ltn", "sport = :9999").stdout, "it listens")
            self.must(not reaches(name, 9999), f"{name}:9999 is closed")
            self.fleet[name].inside("systemctl", "stop", "listener")
        for port in (5432, 6379):
            self.must(reaches("base", port, "control"), f"base:{port} is open to the coordinator")
            self.must(not reaches("base", port), f"base:{port} is closed to others")
            self.must(not reaches("base", port, "web1"), f"base:{port} is closed to serving hosts")
        # One that lets the agents of a host no longer through: the host serves on, says so, and comes back by itself.
        web = self.fleet["web1"]
        with self.visitors() as visitors:
            web.inside("nft", "add table inet blocked")
            web.inside("nft", "add chain inet blocked out { type filter hook output priority 0; }")
            web.inside("nft", "add rule inet blocked out tcp dport 8443 drop")
            status = self.until(
                lambda: (found := web.agent("status"))[1] == 1 and found[0], "the host says that it is cut off", 90)
            self.saw(f"a host that is cut off says {[problem['message'] for problem in status['problems']][:1]}")
            doctor = web.inside("pagewright-agent", "doctor", check=False, timeout=60)
            self.must(
                doctor.returncode != 0 and "8443" in doctor.stdout, "doctor names the address that it cannot reach", doctor.stdout)
            web.inside("nft", "delete table inet blocked")
            began = now()
            self.well("web1")
        self.row("cut off host back after the firewall opened", f"{now() - began:.0f} s")
        self.none_failed(visitors, "cut off by a firewall")

    def full_disk(self):
        self.step("A serving host without room")
        web = self.fleet["web2"]
        web.inside("sh", "-c", "head -c 400M /dev/zero > /var/lib/pagewright-agent/filler || true")
        job = self.succeeds(self.edit("bakery", 'Change the headline to "No room at the inn"'), "the edit went through")
        self.api.until_looked_at("bakery", job["version"])
        before = visit(web.address, SITE)[1]
        with self.visitors() as visitors:
            self.promote_everywhere_or_nowhere(job["version"])
            self.api.post("/sites/bakery/promote", {"version": job["version"]})
            self.until(lambda: b"No room at the inn" in visit(self.fleet["web1"].address, SITE)[1], "the other host serves it", 60)
            status = self.until(
                lambda: (found := web.agent("status"))[1] != 0 and found[0], "the host says that something is wrong", 90)
        self.none_failed(visitors, "a full disk")
        self.must(visit(web.address, SITE)[1] == before, "the host without room serves what it served")
        self.saw(f"it says: {[problem['message'] for problem in status['problems']][:2]}")
        web.inside("rm", "/var/lib/pagewright-agent/filler")
        began = now()
        self.until(lambda: b"No room at the inn" in visit(web.address, SITE)[1], "it catches up by itself", 120)
        self.row("caught up after there was room", f"{now() - began:.0f} s")
        self.well("web2")

    def promote_everywhere_or_nowhere(self, version):
        """One of two hosts has no room to prepare it."""
        refusal = None
        try:
            self.api.post("/sites/bakery/promote", {"version": version, "mode": "all-or-nothing"})
        except Refused as refused:
            refusal = refused
        self.must(
            refusal is not None and "release-all-or-nothing" in refusal.rules and "web2" in str(refusal),
            f"all or nothing: {refusal}")
        self.must(
            all(b"No room at the inn" not in visit(self.fleet[name].address, SITE)[1] for name in self.serving),
            "and nobody sees it, also where there is room")

    # Other versions

    def upgrades(self):
        self.step("Another version, by Ansible, while visitors ask")
        version = self.later(1)
        folder = self.other_version(version)
        with self.visitors() as visitors:
            _, took, _ = self.play("upgrade.yml", variables={"package_files": folder, "package_version": version})
        self.none_failed(visitors, "upgrade.yml")
        for name, package in [("control", "coordinator"), *((name, "agent") for name in self.agents)]:
            self.must(self.installed(name, f"pagewright-{package}") == version, f"{name} has {version}")
        count = len(self.agents) + 1
        self.row(f"upgrade.yml, {count} hosts", f"{took:.0f} s, {took / count:.0f} s a host", "≤ 20 s a host")
        self.step("A version that crashes, by Ansible")
        broken = self.later(2)
        folder = self.other_version(broken, "#!/bin/sh\nexit 1\n")
        with self.visitors() as visitors:
            said, took, _ = self.play(
                "upgrade.yml", "--tags", "agents",
                variables={"package_files": folder, "package_version": broken, "agent_patience": 20}, fails=True)
        self.none_failed(visitors, "a version that crashes")
        self.must(
            f"is back at {version}" in re.sub(r"\s+", " ", said), "the first host went back, and the roll-out ended there",
            said[-2500:])
        for name in self.agents:
            self.must(self.installed(name, "pagewright-agent") == version, f"{name} has {version}")
            self.well(name)
        self.row("broken version: noticed, reverted, stopped", f"{took:.0f} s")
        self.ask_for_versions(version)

    def ask_for_versions(self, version):
        """What the agent itself does when the coordinator orders another version."""
        def ask(version):
            return self.fleet["work"].inside(
                "runuser", "-u", "pagewright-agent", "--", "/usr/libexec/pagewright/install-version", version,
                check=False, timeout=600).returncode

        began = now()
        self.must(ask(self.version) == 0, "the agent's user has its own package replaced")
        self.must(self.installed("work", "pagewright-agent") == self.version, f"work has {self.version}")
        self.well("work")
        self.row("another version of one host until it is well", f"{now() - began:.0f} s", "≤ 20 s")
        self.must(ask("1; touch /root/owned") == 65, "and nothing else: what is no version is refused")
        self.must(ask("99.9") not in (0, 65), "a version that nobody has is refused")
        self.must(ask(version) == 0, f"and back to {version}")
        self.well("work")

    def rollout(self, version, timeout):
        """One roll-out to its end, as the coordinator does it. Returns it, and how long it took."""
        began = now()
        rollout = self.api.post("/rollouts", {"version": version})
        rollout = self.until(
            lambda: (seen := self.api.get(f"/rollouts/{rollout['id']}"))["state"] in ("succeeded", "stopped", "cancelled") and seen,
            f"the roll-out to {version} ends", timeout)
        return rollout, now() - began

    def rollouts(self):
        self.step("Another version, ordered by the coordinator, with an edit that runs and visitors who ask")
        self.api.login(*USER)
        hosts = {host["name"]: host["id"] for host in self.api.get("/hosts")["items"] if host["connected"]}
        drained = f"/hosts/{hosts[self.worker]}"
        self.api.post("/sites", {"slug": "florist", "name": "Flora", "template": "bakery"})
        version = self.later(3)
        self.spread(version)
        slow = self.edit("bakery", "Take your time", engine="codex")
        self.until(lambda: self.job(slow)["state"] == "leased", "the slow edit runs")
        self.api.post(drained + "/drain")
        waiting = self.edit("florist", 'Change the headline to "Roses"')
        with self.visitors() as visitors:
            rollout, took = self.rollout(version, 400)
            self.must(rollout["state"] == "succeeded", f"the roll-out to {version} succeeded", rollout)
        self.none_failed(visitors, "a roll-out")
        count = len(self.agents)
        self.row(f"roll-out to {count} hosts", f"{took:.0f} s, {took / count:.0f} s a host", "≤ 20 s a host")
        for name in self.agents:
            status = self.fleet[name].agent("status")[0]
            self.must(status["version"] == version, f"{name} runs {version}", status)
        running = self.job(slow)
        self.must(running["state"] == "leased" and running["attempt"] == 1, "the edit runs on, in its first attempt", running)
        self.must(self.job(waiting)["state"] in ("queued", "ready"), "a drained host was given nothing else", self.job(waiting))
        self.let_slow_edits_end()
        found = self.succeeds(slow, "it survived its agent")
        self.must(found["attempt"] == 1, "in the same attempt", found)
        self.api.post(drained + "/resume")
        self.succeeds(waiting, "resumed, the host is given work again")
        if not self.options.reduced:
            self.broken("a version that crashes", self.later(4), version, "#!/bin/sh\nexit 1\n")
            self.broken("a version that hangs", self.later(5), version, "#!/bin/sh\nexec sleep infinity\n")

    def broken(self, what, broken, version, program):
        self.step(f"{what.capitalize()}, ordered by the coordinator")
        self.spread(broken, program)
        with self.visitors() as visitors:
            rollout, took = self.rollout(broken, 700)
            states = sorted(member["state"] for member in rollout["members"] if member["state"] != "skipped")
            self.must(
                rollout["state"] == "stopped" and states == ["reverted"] + ["waiting"] * (len(self.agents) - 1),
                f"{what}: the first host went back, no other was begun: {rollout['reason']}", rollout)
        self.none_failed(visitors, what)
        for name in self.agents:
            self.must(self.installed(name, "pagewright-agent") == version, f"{name} has {version}")
            self.well(name)
        self.row(f"{what}: noticed, reverted, stopped", f"{took:.0f} s")

    # Losses

    def recovery(self):
        self.step("The coordinator and its database are lost, and come back from a backup")
        safe = os.path.join(self.folder, "safe")
        shutil.rmtree(safe, ignore_errors=True)
        self.refused(
            "a backup without a passphrase", ["control: backup_passphrase is not set", "Next:"], {"backup_passphrase": ""},
            book="backup.yml")
        self.refused(
            "a restore onto a coordinator that is there", ["control has a coordinator already", "Next:"], book="restore.yml")
        self.refused(
            "a restore from a file that is not there", ["control", "there is no such file", "Next:"],
            {"coordinator_restore_file": safe + "/none.tar"}, book="restore.yml")
        self.must(self.ready(), "and the coordinator goes on")
        with self.small_disk(self.fleet["control"], "/var/backups/pagewright", 1):
            self.fleet["control"].inside("chown", "pagewright-coordinator:", "/var/backups/pagewright")
            self.fleet["control"].inside("sh", "-c", "head -c 2M /dev/zero > /var/backups/pagewright/filler || true")
            said, _, _ = self.play("backup.yml", fails=True)
            shown = re.sub(r"\s+", " ", said.replace('\\"', '"'))
            missing = [
                text for text in ("control could not make a backup", "the disk is full", "Free some space") if text not in shown]
            self.must(not missing, "a place for backups without room: says so", f"not said: {missing}\n{said[-2500:]}")
        _, took, _ = self.play("backup.yml", variables={"coordinator_backup_fetch": safe})
        backup = os.path.join(safe, os.listdir(safe)[0])
        self.row("backup made and proven", f"{took:.0f} s, {os.path.getsize(backup) / 1e6:.1f} MB")
        control = self.fleet["control"]
        served = visit(self.fleet["web1"].address, SITE)[1]
        with self.visitors() as visitors:
            control.inside("systemctl", "stop", "pagewright-coordinator")
            control.inside(
                "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y", "purge", "pagewright-coordinator", timeout=300)
            control.inside("rm", "-rf", "/var/backups/pagewright")
            self.must(control.inside("test", "-e", "/var/lib/pagewright", check=False).returncode != 0, "everything of it is gone")
            self.fleet["base"].inside("runuser", "-u", "postgres", "--", "dropdb", "--force", "pagewright")
            began = now()
            self.play("restore.yml", variables={"coordinator_restore_file": backup, **self.installed_packages()})
            control.inside(
                "runuser", "-u", "pagewright-coordinator", "--", "pagewright-coordinator", "recovery", "accept")
            self.until(self.ready, "the coordinator is ready", 120)
            for name in self.agents:
                self.well(name)
            self.row("from nothing to a coordinator that works", f"{now() - began:.0f} s")
        self.none_failed(visitors, "a lost coordinator")
        self.must(visit(self.fleet["web1"].address, SITE)[1] == served, "the site is what it was")
        self.main_job()

    def installed_packages(self):
        """The folder and version of the packages that the agents have now."""
        version = self.installed(self.worker, "pagewright-agent")
        folder = self.packages if version == self.version else self.other_version(version)
        return {"package_files": folder, "package_version": version}

    def lost_host(self):
        self.step("A host is revoked, and another one takes its place")
        self.api.login(*USER)
        web = self.fleet["web2"]
        host = next(host for host in self.api.get("/hosts")["items"] if host["name"] == "web2" and host["connected"])
        served = visit(web.address, SITE)[1]
        with self.visitors() as visitors:
            began = now()
            self.api.post(f"/hosts/{host['id']}/revoke")
            self.until(lambda: not web.agent("status")[0]["is_connected"], "its session ends", 20)
            took = now() - began
            self.row("revoked until its session ended", f"{took:.1f} s", "≤ 5 s")
            self.must(took <= 5, "within 5 s")
            status, code = web.agent("status")
            self.must(code != 0, f"it says so: {[problem['message'] for problem in status['problems']][:1]}", status)
            time.sleep(5)
            self.must(not web.agent("status")[0]["is_connected"], "and it does not come back")
        self.none_failed(visitors, "a host revoked")
        self.must(visit(web.address, SITE)[1] == served, "its visitors see what they saw")
        # As a new machine: nothing of the old one's state.
        web.inside("systemctl", "stop", "pagewright-agent", "pagewright-nginx")
        web.inside("find", "/var/lib/pagewright-agent", "-mindepth", "1", "-delete")
        web.inside(
            "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y", "purge", "pagewright-agent", check=False, timeout=300)
        began = now()
        self.play("serving.yml", "--limit", "web2", variables=self.installed_packages())
        self.until(lambda: visit(web.address, SITE)[1] == served, "the new host serves the site", 60)
        self.well("web2")
        self.row("a new host in place of a lost one, until it served", f"{now() - began:.0f} s")

    # Time

    def move_clock(self, name, seconds, file="/etc/clock-offset"):
        """Programs of ours on that host that are told so see a time so many seconds from now."""
        library = os.path.join(self.folder, "clock_offset.so")
        if not os.path.exists(library):
            run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, os.path.join(ROOT, "scripts", "lib", "clock_offset.c")])
        machine = self.fleet[name]
        os.makedirs(machine.root + "/usr/local/lib", exist_ok=True)
        shutil.copy(library, machine.root + "/usr/local/lib/clock_offset.so")
        machine.write(file, f"{seconds}\n")

    def expired(self):
        self.step("Agents that were off for longer than their certificates live")
        self.api.login(*USER)
        days = 3
        units = {"control": "pagewright-coordinator", **{name: "pagewright-agent" for name in self.agents}}
        with self.visitors() as visitors:
            for name in self.agents:
                self.fleet[name].inside("systemctl", "stop", "pagewright-agent")
            for name, unit in units.items():
                self.move_clock(name, days * 86400)
                self.fleet[name].write(
                    f"/etc/systemd/system/{unit}.service.d/clock.conf",
                    "[Service]\nEnvironment=LD_PRELOAD=/usr/local/lib/clock_offset.so CLOCK_OFFSET_FILE=/etc/clock-offset\n")
                self.fleet[name].inside("systemctl", "daemon-reload")
            self.fleet["control"].inside("systemctl", "restart", "pagewright-coordinator")
            self.until(self.ready, "the coordinator is ready, three days later", 120)
            self.api.login(*USER)
            late = [host for host in self.api.get("/hosts")["items"] if host["name"] in self.agents and host["state"] == "active"]
            ahead = time.time() + days * 86400

            def expires(host):
                return time.mktime(time.strptime(host["certificate_expires_at"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone

            self.must(
                late and all(expires(host) < ahead for host in late), f"{len(late)} hosts have certificates that are over", late)
            began = now()
            for name in self.agents:
                self.fleet[name].inside("systemctl", "start", "pagewright-agent")
            for name in self.agents:
                self.well(name)
            self.row("agents with expired certificates, back and well", f"{now() - began:.0f} s")
            renewed = [host for host in self.api.get("/hosts")["items"] if host["connected"]]
            self.must(
                len(renewed) == len(self.agents) and all(expires(host) > ahead for host in renewed),
                "nobody did anything, and they have certificates that are good", renewed)
        self.none_failed(visitors, "agents off, and certificates over")
        self.main_job()
