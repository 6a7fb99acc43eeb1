"""The measures of edits: engines with a model that answers at once, the start of a sandbox, many edits on one worker."""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

import sites
from api import API, Events
from backends import folder, load
from table import median, milliseconds, percentile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CODEX = os.environ.get("PAGEWRIGHT_CODEX", os.path.join(ROOT, ".venv-test", "bin", "codex"))
FAKE_MODEL = os.path.join(ROOT, "Tests", "EnginesTests", "Fixtures", "fake_model_server.py")
MODEL = "gpt-5.4"
ENDED = ("succeeded", "failed", "dead", "cancelled")

# What matters for the time of the CLI by itself: as the engine has it, see Sources/Engines/Codex.
ALONE = '''
model = "{model}"
model_provider = "house"
sandbox_mode = "danger-full-access"
approval_policy = "never"
check_for_update_on_startup = false
web_search = "disabled"
project_doc_max_bytes = 0
[analytics]
enabled = false
[otel]
exporter = "none"
metrics_exporter = "none"
trace_exporter = "none"
[features]
plugins = false
remote_plugin = false
apps = false
multi_agent = false
goals = false
image_generation = false
tool_suggest = false
shell_snapshot = false
[model_providers.house]
name = "house"
base_url = "http://127.0.0.1:{port}/v1"
wire_api = "responses"
env_key = "MODEL_KEY"
'''


class InstantModel:
    """A model's API that answers from a script without thinking."""

    def __init__(self, where):
        script = os.path.join(where, "scenario.json")
        with open(script, "w") as file:
            json.dump({"steps": []}, file)
        self.process = subprocess.Popen(
            [sys.executable, FAKE_MODEL, "--scenario", script, "--port", "0"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = json.loads(self.process.stdout.readline())["port"]

    def play(self, scenario):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/__fake/scenario", json.dumps(scenario).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=30):
            pass

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()


def headline(number):
    return f"<body><h1>Round {number}</h1>"


def patch(before, after):
    """A reply that changes the headline, as Codex takes it."""
    text = f"*** Begin Patch\n*** Update File: index.html\n@@\n-{headline(before)}\n+{headline(after)}\n*** End Patch\n"
    return {"tools": [{"name": "apply_patch", "input": text}]}


DONE = {"text": "The headline is changed."}


def use_codex(shop, model):
    shop.api.call("PUT", "/admin/engines/codex", {
        "provider": "openai-responses", "base_url": f"http://127.0.0.1:{model.port}/v1", "large_model": MODEL,
        "small_model": MODEL, "key": "not-a-real-key"})


def home():
    return sites.page("Round 0", filler=2000)


def fifty_files():
    files = [("index.html", home()), ("style.css", b"h1 { color: #123456 }\n")]
    for number in range(43):
        files.append((f"pages/page{number}.html", sites.page(f"Page {number}", filler=4000, seed=number)))
    for number in range(5):
        files.append((f"images/picture{number}.svg", f'<svg xmlns="http://www.w3.org/2000/svg" width="{number}"/>'.encode()))
    return files


def edited(shop, site, engine, number):
    """(accepted to recorded, accepted to served as the preview) of one edit, in seconds."""
    conversation = shop.api.post(f"/sites/{site['slug']}/conversations", {"title": f"Round {number}"})["id"]
    since = shop.events.mark
    job = shop.api.post(f"/sites/{site['slug']}/edits", {
        "prompt": f'Change the headline to "Round {number}"', "engine": engine, "conversation_id": conversation,
    })["job"]["id"]
    accepted = time.monotonic()
    ended = shop.events.wait(
        lambda kind, data: data.get("job_id") == job and data.get("state") in ENDED, since, 120, "the end of the edit")
    told = shop.api.get(f"/jobs/{job}")
    if ended["data"]["state"] != "succeeded":
        raise RuntimeError(f"the edit failed: {told['failure']}")
    served = shop.served(site, since, told["version"], 120)
    return ended["seen"] - accepted, served["seen"] - accepted


def codex_alone(where, model, number):
    """How long the CLI takes for such an edit by itself: no sandbox, no site, settings of its own."""
    site, state = os.path.join(where, f"alone{number}"), os.path.join(where, f"home{number}")
    os.makedirs(site)
    os.makedirs(state)
    with open(f"{site}/index.html", "wb") as file:
        file.write(home())
    with open(f"{state}/config.toml", "w") as file:
        file.write(ALONE.format(model=MODEL, port=model.port))
    model.play({"steps": [{"reply": patch(0, 1)}, {"reply": DONE}]})
    began = time.monotonic()
    done = subprocess.run(
        [CODEX, "exec", "--json", "--skip-git-repo-check", "-C", site, "-"], input='Change the headline to "Round 1"',
        capture_output=True, text=True, timeout=60, env={**os.environ, "CODEX_HOME": state, "MODEL_KEY": "dummy"})
    took = time.monotonic() - began
    with open(f"{site}/index.html", "rb") as file:
        if done.returncode != 0 or headline(1).encode() not in file.read():
            raise RuntimeError("codex: " + done.stdout[-1000:] + done.stderr[-1000:])
    return took


def edits(bench):
    rounds = 4 if bench.options.quick else 25
    bench.note(f"{rounds} edits of a site of 50 files with each engine")
    where = folder(bench, "edits")
    model = InstantModel(where)
    shop = bench.another("edits-fleet", worker=(
        "--local-model", f"127.0.0.1:{model.port}", *(("--codex", CODEX) if os.access(CODEX, os.X_OK) else ())))
    try:
        use_codex(shop, model)
        for engine, limit in (("builtin", 0.4), ("codex", 1.5)):
            if engine == "codex" and not os.access(CODEX, os.X_OK):
                shop.table.add("an edit of Codex", "not run: scripts/install-test-tools installs it")
                continue
            site = shop.api.post("/sites", {"slug": f"fifty-{engine}", "name": "Fifty"})
            since = shop.events.mark
            number = shop.api.post(
                f"/sites/{site['slug']}/versions", sites.packed(fifty_files()), content_type="application/gzip")["number"]
            shop.served(site, since, number)
            recorded, previewed, alone = [], [], []
            for turn in range(rounds + 1):
                model.play({"steps": [{"reply": patch(turn, turn + 1)}, {"reply": DONE}]})
                times = edited(shop, site, engine, turn + 1)
                if engine == "codex":
                    alone.append(codex_alone(where, model, turn))
                # The first one fills caches.
                if turn:
                    recorded.append(times[0])
                    previewed.append(times[1])
            p50 = percentile(previewed, 0.5)
            peer = f"the CLI alone {milliseconds(median(alone[1:]))}" if alone else ""
            share = f"{median(alone[1:]) / p50:.2f}" if alone else ""
            shop.table.add(
                f"an edit of {engine}, 50 files, instant model: accepted to previewable, p50 (p95)",
                f"{milliseconds(p50)} ({milliseconds(percentile(previewed, 0.95))})", peer, share,
                f"<= {limit * 1000:.0f} ms", p50 <= limit)
            shop.table.add("  accepted to version recorded, p50", milliseconds(percentile(recorded, 0.5)))
    finally:
        shop.close()
        model.stop()


def sandboxes(bench):
    rounds = 10 if bench.options.quick else 100
    bench.note(f"{rounds} sandboxes")
    for bridge in (False, True):
        workspace = folder(bench, f"sandbox-{bridge}")
        said = load(bench, "sandboxes", "--workspace", workspace, "--rounds", str(rounds),
                    *(["--socket-folder", folder(bench, "socket")] if bridge else []))
        bench.table.add(
            f"start of a sandbox, to the program's first line, p50 (p99){', with the bridge to a model' if bridge else ''}",
            f"{said['start_p50_ms']:.1f} ms ({said['start_p99_ms']:.1f} ms)", limit="<= 60 ms",
            holds=said["start_p50_ms"] <= 60)
        bench.table.add("  and until nothing of it is left, p50", f"{said['whole_p50_ms']:.1f} ms")


class TaskMemory:
    """Looks at the memory of running tasks: the shim of each and all that it owns, shared pages shared out."""

    def __init__(self, agent, where):
        self.agent, self.where = agent, where.encode()
        self.each, self.most, self.agent_peak = [], 0, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join()

    def _watch(self):
        while not self._stop.wait(0.05):
            children, shims = {}, {}
            for entry in os.listdir("/proc"):
                if not entry.isdigit():
                    continue
                try:
                    with open(f"/proc/{entry}/stat") as stat:
                        head, _, rest = stat.read().rpartition(")")
                    parent = int(rest.split()[1])
                    children.setdefault(parent, []).append(int(entry))
                    if head.endswith("(pagewright-shim"):
                        with open(f"/proc/{entry}/cmdline", "rb") as line:
                            if self.where in line.read():
                                shims[int(entry)] = parent
                except OSError:
                    pass
            self.agent_peak = max(self.agent_peak, proportional(self.agent))
            # One that is about to become a sandbox is a shim's child.
            tasks = [shim for shim, parent in shims.items() if parent not in shims]
            if tasks:
                total, waiting = 0, list(tasks)
                while waiting:
                    process = waiting.pop()
                    total += proportional(process)
                    waiting += children.get(process, [])
                self.each.append(total / len(tasks))
                self.most = max(self.most, len(tasks))


def proportional(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as rollup:
            return sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) * 1024
    except OSError:
        return 0


def parallel(bench):
    """All edits wait while the worker is drained; then it is resumed, and they run side by side."""
    slots, count = 8, 24 if bench.options.quick else 100
    late = count // 10
    where = folder(bench, "parallel")
    model = InstantModel(where)
    has_codex = os.access(CODEX, os.X_OK)
    shop = bench.another("parallel-fleet", worker=(
        "--worker-slots", str(slots), "--local-model", f"127.0.0.1:{model.port}",
        *(("--codex", CODEX) if has_codex else ())))
    try:
        use_codex(shop, model)
        # Whoever has had its answer says that it is done.
        model.play({"side": [{"when": {"body": "custom_tool_call_output"}, "reply": DONE},
                             {"when": {"api": "responses"}, "reply": patch(0, 1)}], "steps": []})
        second = API(shop.fleet.api)
        second.register("second@example.org", "correct horse battery staple", "Second")
        feeds = {shop.api: shop.events, second: Events(second)}
        worker = next(host for host in shop.api.get("/hosts")["items"] if "worker" in host["roles"])["id"]
        for engine in ("builtin", "codex") if has_codex else ("builtin",):
            shop.note(f"{count} edits of {engine} on one worker with {slots} slots")
            people = [shop.api] * (count - late) + [second] * late
            for number, person in enumerate(people):
                slug = f"{engine}-{number}"
                person.post("/sites", {"slug": slug, "name": slug})
                person.post(f"/sites/{slug}/versions", sites.packed([("index.html", home())]),
                            content_type="application/gzip")
            shop.api.post(f"/hosts/{worker}/drain")
            marks = {person: feed.mark for person, feed in feeds.items()}
            jobs = [
                person.post(f"/sites/{engine}-{number}/edits", {
                    "prompt": 'Change the headline to "Round 1"', "engine": engine})["job"]["id"]
                for number, person in enumerate(people)]
            memory = TaskMemory(shop.fleet.pids["worker"], shop.folder)
            idle = proportional(shop.fleet.pids["worker"])
            began = time.monotonic()
            shop.api.post(f"/hosts/{worker}/resume")
            begins, ends = {}, {}
            for job, person in zip(jobs, people):
                for state, found in (("leased",), begins), (ENDED, ends):
                    event = feeds[person].wait(
                        lambda kind, data: data.get("job_id") == job and data.get("state") in state, marks[person], 600,
                        f"{job} being {state[0]}")
                    found[job] = event["seen"] - began
                    if state == ENDED and event["data"]["state"] != "succeeded":
                        raise RuntimeError(f"an edit failed: {person.get('/jobs/' + job)['failure']}")
            memory.stop()
            whole = max(ends.values())
            first_of_late = min(begins[job] for job in jobs[count - late:])
            shop.table.add(
                f"{count} edits of {engine} at once, one worker, {slots} slots: all done ({len(ends)} succeeded)",
                f"{whole:.1f} s, {count / whole:.1f}/s", limit="nobody starves", holds=first_of_late <= whole / 4)
            shop.table.add(
                f"  who came last with {late} edits: the first began after", f"{first_of_late:.2f} s",
                "longest wait of all", f"{max(begins.values()):.2f} s")
            shop.table.add(
                "  memory of a running task, median (most)",
                f"{statistics.median(memory.each or [0]) / 1e6:.1f} ({max(memory.each or [0]) / 1e6:.1f}) MB",
                f"the agent {idle / 1e6:.0f} MB, at most {memory.agent_peak / 1e6:.0f} MB",
                f"{memory.most} at once")
        feeds[second].close()
    finally:
        shop.close()
        model.stop()
