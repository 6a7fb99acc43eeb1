"""A part of test-fleet: two coordinators, replaced one after the other while people work."""

import http.client
import json
import threading
import time
import uuid

from fleet_test import SHARED, SITE, USER, now

SECOND = "control2"
UNIT = "pagewright-coordinator"


class People:
    """Ask the API, and make sites, through a coordinator that says that it is ready, as what spreads requests does it.
    What failed is never asked for again: it counts."""

    def __init__(self, addresses, token):
        self.addresses, self.token = addresses, token
        self.asked, self.failures, self.made, self.through = 0, [], [], set()
        self._ready, self._turn = [], 0
        self._guard, self._ended = threading.Lock(), threading.Event()
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._look, self._read, self._read, self._write)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join(20)

    def _send(self, address, method, path, body=None):
        connection = http.client.HTTPConnection(address, 8085, timeout=20)
        try:
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            if method != "GET":
                headers["Idempotency-Key"] = str(uuid.uuid4())
            connection.request(method, path, body=json.dumps(body) if body else None, headers=headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _look(self):
        while not self._ended.is_set():
            ready = []
            for address in self.addresses:
                try:
                    if self._send(address, "GET", "/readyz")[0] == 200:
                        ready.append(address)
                except (OSError, http.client.HTTPException):
                    pass
            self._ready = ready
            time.sleep(0.5)

    def _ask(self, method, path, body=None):
        while not self._ended.is_set():
            with self._guard:
                ready, self._turn = self._ready, self._turn + 1
                turn = self._turn
            if not ready:
                time.sleep(0.05)
                continue
            address = ready[turn % len(ready)]
            try:
                status, said = self._send(address, method, path, body)
                failure = None if 200 <= status < 300 else f"{address} {method} {path}: {status} {said[:200]}"
            except (OSError, http.client.HTTPException) as error:
                failure = f"{address} {method} {path}: {type(error).__name__} {error}"
            with self._guard:
                self.asked += 1
                self.through.add(address)
                if failure:
                    self.failures.append(failure)
            return not failure
        return False

    def _read(self):
        while not self._ended.is_set():
            self._ask("GET", "/api/v1/sites")
            self._ask("GET", "/api/v1/jobs")
            time.sleep(0.05)

    def _write(self):
        number = 0
        while not self._ended.is_set():
            number += 1
            slug = f"shop-{uuid.uuid4().hex[:8]}"
            if self._ask("POST", "/api/v1/sites", {"slug": slug, "name": f"Shop {number}", "template": "bakery"}):
                self.made.append(slug)
            self._ended.wait(2)


class Coordinators:
    def coordinators(self):
        self.step("A second coordinator, and another version of both, while people work")
        self.api.login(*USER)
        self.share_content()
        began = now()
        self.fleet.add(SECOND)
        self.let_write(SECOND)
        self.groups_of[SECOND] = ["coordinators"]
        self.variables["coordinator_settings"] = {"blobs": f"directory:{SHARED}/blobs", "shutdown.notice": "5s"}
        self.write_inventory()
        installed = self.installed_packages()
        self.play("site.yml", variables=installed)
        for name in self.agents:
            self.well(name)
        self.row("a second coordinator, from a fresh host", f"{now() - began:.0f} s")
        keys = {
            self.fleet[name].inside("sh", "-c", "cd /var/lib/pagewright && cat ca/*.key *.key | sha256sum").stdout
            for name in ("control", SECOND)}
        self.must(len(keys) == 1, "both have the same keys", keys)
        self.replace_both()
        self.lose_one(installed)

    def share_content(self):
        """Both coordinators are to see the content of all versions."""
        control = self.fleet["control"]
        control.inside("systemctl", "stop", UNIT)
        control.inside("sh", "-c", f"test -e {SHARED}/blobs || cp -a /var/lib/pagewright/blobs {SHARED}/blobs")
        self.let_write("control")

    def let_write(self, name):
        self.fleet[name].write(
            f"/etc/systemd/system/{UNIT}.service.d/shared.conf", f"[Service]\nReadWritePaths={SHARED}\n")
        self.fleet[name].inside("systemctl", "daemon-reload")

    def replace_both(self):
        version = self.later(6)
        folder = self.other_version(version, names=("pagewright-coordinator", "pagewright"))
        addresses = [self.fleet[name].address for name in ("control", SECOND)]
        with self.visitors() as visitors, People(addresses, self.api.token) as people:
            self.until(lambda: len(people.through) == 2 and len(people.made) > 1, "people ask both coordinators", 30)
            before = {name: self.process(name, UNIT) for name in ("control", SECOND)}
            _, took, _ = self.play("coordinator.yml", variables={"package_files": folder, "package_version": version})
            made = len(people.made)
            self.until(lambda: len(people.made) > made + 1, "people go on", 30)
        for name, process in before.items():
            self.must(
                self.installed(name, UNIT) == version and self.process(name, UNIT) not in ("0", process),
                f"{name} runs {version}")
        self.must(
            not people.failures and people.asked > 0,
            f"two coordinators replaced one after the other: {people.asked} requests, 0 failed", people.failures[:5])
        self.none_failed(visitors, "two coordinators replaced")
        there = {site["slug"] for site in self.api.items("/sites")}
        self.must(set(people.made) <= there, f"{len(people.made)} sites were made meanwhile, and all are there")
        self.row(
            "two coordinators, another version", f"{took:.0f} s, {people.asked} requests, {len(people.failures)} failed",
            "0 failed")
        for name in self.agents:
            self.well(name)
        self.until_served(lambda body: b"<h1" in body, SITE)

    def lose_one(self, installed):
        """The first one stops, as for repairs: agents and playbooks take the other. Then the other is gone for good."""
        self.fleet["control"].inside("systemctl", "stop", UNIT)
        began = now()
        for name in self.agents:
            self.until(
                lambda: self.fleet[name].agent("status")[0]["is_connected"], f"{name} is connected to the other one", 90)
        self.row("first coordinator stopped, agents at the other", f"{now() - began:.0f} s")
        work = self.fleet[self.worker]
        work.inside("systemctl", "stop", "pagewright-agent")
        work.inside("rm", "-rf", "/var/lib/pagewright-agent/identity")
        self.play("workers.yml", variables=installed)
        self.must(
            work.inside("test", "-e", "/var/lib/pagewright-agent/identity/current", check=False).returncode == 0,
            "a host joins by the coordinator that is there")
        self.fleet["control"].inside("systemctl", "start", UNIT)
        self.until(self.ready, "the first one is back", 120)
        self.fleet[SECOND].stop()
        del self.groups_of[SECOND]
        self.write_inventory()
        began = now()
        for name in self.agents:
            self.well(name)
        self.row("second coordinator switched off, agents well", f"{now() - began:.0f} s")
        self.main_job()
