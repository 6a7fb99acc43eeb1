"""The measures of production backends: PostgreSQL, Redis, many agents, many rows. Each brings its own servers."""

import json
import os
import re
import resource
import signal
import subprocess
import threading
import time

import peers
from fleet import free_port
from servers import Postgres, Redis
from system import resident_bytes
from table import milliseconds

TICKS = os.sysconf("SC_CLK_TCK")


def load(bench, command, *arguments, timeout=1800):
    """Runs a command of LoadBench to its end; returns the last line of JSON that it printed."""
    done = subprocess.run(
        [os.path.join(bench.programs, "LoadBench"), command, *arguments], capture_output=True, text=True, timeout=timeout)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        raise RuntimeError(f"LoadBench {command}: {done.stderr[-2000:]}")
    return json.loads(lines[-1])


def folder(bench, name):
    path = os.path.join(bench.folder, name)
    os.makedirs(path, exist_ok=True)
    return path


class Coordinator:
    """The program, on a database of its choice, without any host."""

    def __init__(self, bench, name, database=None):
        self.bench, self.state = bench, folder(bench, name)
        self.database = ["--database", database] if database else []
        self.port, self.agents_port = free_port(), free_port()
        self.process = None

    def start(self):
        with open(self.state + ".log", "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(self.bench.programs, "pagewright-coordinator"), "serve", "--state", self.state, "--listen",
                 "127.0.0.1", "--port", str(self.port), "--agents-port", str(self.agents_port), *self.database],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        if "ready" not in self.process.stdout.readline():
            raise RuntimeError("the coordinator did not start: " + open(self.state + ".log", errors="replace").read()[-2000:])
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            words = stat.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / TICKS


# grant + complete

def cycles(bench):
    jobs = 400 if bench.options.quick else 6000
    bench.note(f"{jobs} grant + complete cycles")
    for width in (16, 64):
        server = Postgres().start()
        try:
            name = f"cycles-pg-{width}"
            ours = load(bench, "cycles", "--database", server.make_database("pagewright"), "--folder",
                        folder(bench, name), "--jobs", str(jobs), "--width", str(width))
            peer = peers.procrastinate(bench, server, jobs, width)
            bench.table.add(
                f"grant + complete cycles on PostgreSQL with fsync ({jobs} empty jobs, {width} side by side)",
                f"{ours['per_second']:.0f}/s", f"Procrastinate, same server {peer:.0f}/s",
                f"{ours['per_second'] / peer:.1f}", ">= 1500/s and > 1",
                ours["per_second"] >= 1500 and ours["per_second"] > peer)
            bench.table.add("  a grant, p50 and p99", f"{ours['grant_p50_ms']:.1f} ms, {ours['grant_p99_ms']:.1f} ms")
        finally:
            server.remove()
    small = load(bench, "cycles", "--database", folder(bench, "cycles-sqlite") + "/pagewright.sqlite", "--folder",
                 folder(bench, "cycles-sqlite"), "--jobs", str(jobs))
    bench.table.add(
        f"grant + complete cycles on SQLite with synchronous=FULL ({jobs} empty jobs)", f"{small['per_second']:.0f}/s",
        limit=">= 1000/s", holds=small["per_second"] >= 1000)


# REST

def fill_sites(server, database, user, count):
    server.query(f"""
        INSERT INTO site (id, owner_id, slug, name, kind, last_release, fence, created_at)
        SELECT 'site_' || lpad(n::text, 22, '0'), '{user}', 'filled-' || n, 'Filled ' || n, 'static', 0, 0, 0
        FROM generate_series(1, {count}) AS n""", database)
    server.query("ANALYZE", database)


def wrk(url, token, seconds, script=None):
    """(requests a second, p99 in milliseconds, answers that were not 2xx)"""
    said = subprocess.run(
        ["wrk", "-t1", "-c32", f"-d{seconds}s", "--latency", "-H", f"Authorization: Bearer {token}",
         *(["-s", script] if script else []), url],
        capture_output=True, text=True, timeout=seconds + 60).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1))
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", said).groups()
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return rate, float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit], int(wrong.group(1)) if wrong else 0


def register(port):
    from api import API
    api = API(f"http://127.0.0.1:{port}")
    api.register("bench@example.org", "correct horse battery staple", "Bench")
    return api


def rest(bench):
    seconds = 3 if bench.options.quick else 15
    bench.note("GET /api/v1/sites on PostgreSQL")
    server = Postgres().start()
    coordinator = Coordinator(bench, "rest", server.make_database("pagewright"))
    try:
        coordinator.start()
        api = register(coordinator.port)
        user = server.query("SELECT id FROM app_user", "pagewright")
        fill_sites(server, "pagewright", user, 10_000)
        url = f"http://127.0.0.1:{coordinator.port}/api/v1/sites?limit=20"
        wrk(url, api.token, 2)
        rate, p99, wrong = wrk(url, api.token, seconds)
        script = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "pages.lua")
        spread, spread_p99, spread_wrong = wrk(url, api.token, seconds, script)
        coordinator.stop()
        peer, peer_p99, peer_wrong = peers.fastapi(bench, server, "pagewright", user, lambda url: wrk(url, "x", seconds))
        if wrong or spread_wrong or peer_wrong:
            raise RuntimeError(f"{wrong}, {spread_wrong} and {peer_wrong} answers were not 200")
        bench.table.add(
            "GET /api/v1/sites, 20 of 10,000, on PostgreSQL, wrk -t1 -c32", f"{rate:.0f}/s, p99 {p99:.0f} ms",
            f"FastAPI + psycopg {peer:.0f}/s, p99 {peer_p99:.0f} ms", f"{rate / peer:.1f}", ">= 5000/s", rate >= 5000)
        bench.table.add("  the same, each request for another page", f"{spread:.0f}/s, p99 {spread_p99:.0f} ms")
    finally:
        if coordinator.process and coordinator.process.poll() is None:
            coordinator.kill()
        server.remove()


# Dispatch and drain

def dispatching(bench):
    seconds = 5 if bench.options.quick else 20
    for hints in (True, False):
        bench.note(f"dispatch at 200 jobs/s {'with' if hints else 'without'} hints")
        server, redis = Postgres().start(), Redis().start()
        try:
            said = load(bench, "dispatch", "--database", server.make_database("pagewright"), "--folder",
                        folder(bench, f"dispatch-{hints}"), "--rate", "200", "--seconds", str(seconds),
                        *(["--redis", redis.address] if hints else []))
            p50, p99 = said["dispatch_p50_ms"], said["dispatch_p99_ms"]
            holds = said["ended"] == said["jobs"] and (p50 <= 8 and p99 <= 50 if hints else p99 <= 1200)
            bench.table.add(
                f"dispatch at 200 jobs/s, commit here to offer there, {'Redis' if hints else 'no'} hints",
                f"p50 {p50:.1f} ms, p99 {p99:.0f} ms", limit="p50 <= 8, p99 <= 50 ms" if hints else "p99 <= 1200 ms",
                holds=holds)
        finally:
            redis.remove()
            server.remove()


def drain(bench):
    jobs, sites, workers = (500, 50, 20) if bench.options.quick else (5000, 500, 100)
    bench.note(f"{jobs} queued jobs, {workers} simulated workers")
    server = Postgres().start()
    try:
        said = load(bench, "drain", "--database", server.make_database("pagewright"), "--folder", folder(bench, "drain"),
                    "--jobs", str(jobs), "--sites", str(sites), "--workers", str(workers))
    finally:
        server.remove()
    is_right = said["ended"] == said["jobs"] and not said["sites_out_of_order"] and not said["two_at_once"]
    bench.table.add(
        f"{jobs} queued jobs of {sites} sites and 10 users, {workers} workers of 0.5 s a job", f"{said['seconds']:.1f} s",
        f"the workers alone {said['ideal_seconds']:.1f} s", f"{said['seconds'] / said['ideal_seconds']:.2f}",
        "order kept, <= 1.2", is_right and said["seconds"] <= 1.2 * said["ideal_seconds"])
    bench.table.add("  the last user's first job began after", f"{said['slowest_first_seconds']:.1f} s")


# Idle sessions

class Agents:
    """The process with the agents, and what it said last."""

    def __init__(self, bench, coordinator, database, count):
        self.process = subprocess.Popen(
            [os.path.join(bench.programs, "LoadBench"), "idle-agents", "--coordinator",
             f"127.0.0.1:{coordinator.agents_port}", "--database", database, "--authority", coordinator.state + "/ca",
             "--count", str(count)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.said = {"open": 0, "opened": 0}
        threading.Thread(target=self._read, daemon=True).start()
        self.count = count

    def _read(self):
        for line in self.process.stdout:
            if '"open"' in line:
                self.said = json.loads(line)

    def wait(self, opened, patience=300):
        began = time.monotonic()
        while not (self.said["open"] >= self.count and self.said["opened"] >= opened):
            if self.process.poll() is not None:
                raise RuntimeError("the agents ended: " + self.process.stderr.read()[-2000:])
            if time.monotonic() - began > patience:
                raise RuntimeError(f"only {self.said} of {self.count} came within {patience} s")
            time.sleep(0.1)
        return time.monotonic() - began

    def stop(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def sessions(bench):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536) if hard > 0 else 65_536, hard))
    for count in (50, 100) if bench.options.quick else (500, 1000, 2000, 5000):
        with open("/proc/meminfo") as meminfo:
            free = next(int(line.split()[1]) * 1024 for line in meminfo if line.startswith("MemAvailable"))
        if free < count * 600 * 1024:
            bench.table.add(f"{count} idle mTLS sessions", f"not run: {free >> 20} MiB of memory are free")
            continue
        bench.note(f"{count} idle sessions")
        server = Postgres().start()
        database = server.make_database("pagewright")
        coordinator = Coordinator(bench, f"sessions-{count}", database).start()
        agents = None
        try:
            time.sleep(5)
            empty = resident_bytes(coordinator.process.pid)
            agents = Agents(bench, coordinator, database, count)
            agents.wait(count)
            time.sleep(10)
            each = (resident_bytes(coordinator.process.pid) - empty) / count / 1024
            spent, began, pause = coordinator.cpu_seconds(), time.monotonic(), 10 if bench.options.quick else 40
            time.sleep(pause)
            share = (coordinator.cpu_seconds() - spent) / (time.monotonic() - began)
            target = count == 2000
            bench.table.add(
                f"{count} idle mTLS sessions: memory each, CPU in all", f"{each:.0f} KiB, {share * 100:.0f} % of a core",
                limit="<= 100 KiB, <= 20 %" if target else "", holds=each <= 100 and share <= 0.2 if target else None)
            before = agents.said["opened"]
            coordinator.kill()
            coordinator.start()
            took = agents.wait(before + count)
            lost = server.query("SELECT COUNT(*) FROM audit_entry WHERE action = 'job.died'", "pagewright")
            bench.table.add(
                f"  all {count} dropped at once, the coordinator back: all agents back", f"{took:.1f} s",
                limit="<= 30 s" if target else "", holds=took <= 30 and lost == "0" if target else None)
        finally:
            if agents:
                agents.stop()
            coordinator.kill()
            server.remove()


# Many rows

QUERIES = {
    "page of a user's sites": "SELECT * FROM site WHERE owner_id = '{user}' AND id < '~' AND deleted_at IS NULL "
                              "ORDER BY id DESC LIMIT 21",
    "page of a user's jobs": "SELECT job.* FROM job JOIN site ON site.id = job.site_id WHERE job.id < '~' AND "
                             "site.deleted_at IS NULL AND job.owner_id = '{user}' ORDER BY job.id DESC LIMIT 21",
    "versions of a site": "SELECT * FROM version WHERE site_id = '{site}' AND number < 9223372036854775807 "
                          "ORDER BY number DESC LIMIT 21",
    "ready jobs": "SELECT job.id, job.priority FROM job JOIN edit ON edit.job_id = job.id WHERE job.state = 'ready' AND "
                  "edit.engine = 'builtin' ORDER BY job.priority DESC, job.id LIMIT 1000",
}


def fill(server, database, users, sites, each):
    """Rows as they are after years: every site has `each` versions and as many ended jobs."""
    server.query(f"""
        INSERT INTO app_user (id, email, name, role, password_hash, created_at)
        SELECT 'user_' || lpad(n::text, 22, '0'), 'u' || n || '@example.org', 'U', 'user', '-', 0
        FROM generate_series(1, {users}) AS n ON CONFLICT DO NOTHING;
        INSERT INTO site (id, owner_id, slug, name, kind, live, preview, last_version, last_release, fence, created_at)
        SELECT 'site_' || lpad(n::text, 22, '0'), 'user_' || lpad((n % {users} + 1)::text, 22, '0'), 'filled-' || n,
            'Filled ' || n, 'static', {each}, {each}, {each}, 1, {each}, 0
        FROM generate_series(1, {sites}) AS n ON CONFLICT DO NOTHING;
        INSERT INTO version (site_id, number, digest, parent, origin, author_id, summary, files, size_bytes, findings,
            signature, created_at)
        SELECT 'site_' || lpad(n::text, 22, '0'), v, md5(n || '-' || v) || md5(v || '-' || n), v - 1, 'upload',
            'user_' || lpad((n % {users} + 1)::text, 22, '0'), '', 20, 100000, '[]', '\\x00', 0
        FROM generate_series(1, {sites}) AS n, generate_series(1, {each}) AS v ON CONFLICT DO NOTHING;
        INSERT INTO job (id, site_id, kind, priority, state, attempt, losses, step, progress, version, summary, findings,
            uncached_input_tokens, cached_input_tokens, output_tokens, created_at, updated_at, owner_id)
        SELECT 'job_' || lpad(n::text, 11, '0') || lpad(v::text, 11, '0'), 'site_' || lpad(n::text, 22, '0'), 'edit',
            -(n * {each} + v), 'succeeded', 1, 0, 'Done', 100, v, '', '[]', 0, 0, 0, 0, 0,
            'user_' || lpad((n % {users} + 1)::text, 22, '0')
        FROM generate_series(1, {sites}) AS n, generate_series(1, {each}) AS v ON CONFLICT DO NOTHING""", database)
    server.query("VACUUM ANALYZE", database)


def scale(bench):
    full = 2000 if bench.options.quick else 100_000
    times = {}
    for share in (0.01, 1.0):
        sites = int(full * share)
        bench.note(f"{sites} sites, {sites * 10} versions, {sites * 10} jobs")
        server = Postgres({"shared_buffers": "256MB", "max_wal_size": "4GB"}).start()
        try:
            database = server.make_database("pagewright")
            load(bench, "cycles", "--database", database, "--folder", folder(bench, f"scale-{share}"), "--jobs", "64")
            fill(server, "pagewright", max(1, sites // 50), sites, 10)
            words = {"user": "user_" + "1".zfill(22), "site": "site_" + "1".zfill(22)}
            for name, query in QUERIES.items():
                plan = server.query("EXPLAIN (ANALYZE, BUFFERS) " + query.format(**words), "pagewright")
                runs = [server.query("EXPLAIN (ANALYZE) " + query.format(**words), "pagewright") for _ in range(15)]
                spent = sorted(float(re.search(r"Execution Time: ([\d.]+)", run).group(1)) for run in runs)
                times[name, share] = spent[len(spent) // 2] / 1000
                print(f"--- {name}, {sites} sites\n{plan}", flush=True)
            said = load(bench, "cycles", "--database", database, "--folder", folder(bench, f"scale-{share}"), "--jobs",
                        "200" if bench.options.quick else "2000")
            times["grant", share] = said["grant_p50_ms"] / 1000
        finally:
            server.remove()
    for name in [*QUERIES, "grant"]:
        small, large = times[name, 0.01], times[name, 1.0]
        bench.table.add(
            f"{name}, {full} sites, {full * 10} versions and jobs", milliseconds(large), f"at 1 % {milliseconds(small)}",
            f"{large / small:.2f}", "<= 2", large <= 2 * small)
