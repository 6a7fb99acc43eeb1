"""The measures, one function each."""

import json
import os
import shutil
import subprocess
import threading
import time

import archives
import sites
from system import resident_bytes
from table import median, milliseconds, percentile


def upload(bench, slug, archive, promote=False):
    return bench.api.post(
        f"/sites/{slug}/versions?promote={'true' if promote else 'false'}", archive, content_type="application/gzip",
        timeout=1200)


def two_versions(bench, slug):
    """A small site with two versions that differ in one page; version `a` is live. Returns (site, a, b, pages)."""
    site = bench.api.post("/sites", {"slug": slug, "name": slug})
    pages = [sites.page(f"Page {letter}", filler=4000, seed=ord(letter)) for letter in "ab"]
    numbers = []
    for content in pages:
        since = bench.events.mark
        numbers.append(upload(bench, slug, sites.packed([("index.html", content)]), promote=True)["number"])
        bench.served(site, since, numbers[-1])
    return site, numbers[0], numbers[1], pages


def until(bench, slug, content, began, patience=30):
    """Asks nginx until it answers with `content`; returns how long after `began` that was."""
    while True:
        body = bench.visitor.get(f"{slug}.localhost")[2]
        if body == content:
            return time.monotonic() - began
        if time.monotonic() - began > patience:
            raise RuntimeError(f"{slug} did not change within {patience} s")


def idle_memory(bench):
    bench.note("idle memory")
    time.sleep(3 if bench.options.quick else 10)
    for name, limit in (("coordinator", 100), ("worker", 40), ("serving", 40)):
        size = resident_bytes(bench.fleet.pids[name]) / 1e6
        bench.table.add(f"idle memory, {name if name == 'coordinator' else name + ' agent'}", f"{size:.0f} MB", limit=f"<= {limit} MB", holds=size <= limit)


def start_time(bench):
    bench.note("start of the coordinator")
    times = []
    for _ in range(3 if bench.options.quick else 9):
        began = time.monotonic()
        process = subprocess.Popen(
            [f"{bench.programs}/pagewright-coordinator", "serve", "--state", bench.folder + "/coordinator",
             "--listen", "127.0.0.1", "--port", "0", "--agents-port", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = process.stdout.readline()
        times.append(time.monotonic() - began)
        process.terminate()
        process.wait(30)
        if "ready" not in line:
            raise RuntimeError("the coordinator did not start")
    bench.table.add(
        "start of the coordinator to ready, with this bench's data", milliseconds(median(times)), limit="<= 1000 ms",
        holds=median(times) <= 1)


def promote(bench):
    rounds = 20 if bench.options.quick else 300
    bench.note(f"{rounds} promotions and roll-backs")
    _, a, b, pages = two_versions(bench, "flip")
    bench.visitor.get("flip.localhost")
    times = []
    for turn in range(rounds):
        number, content = ((a, pages[0]), (b, pages[1]))[turn % 2]
        done = threading.Event()
        began = time.monotonic()
        request = threading.Thread(
            target=lambda: (bench.api.post("/sites/flip/promote", {"version": number}), done.set()))
        request.start()
        times.append(until(bench, "flip", content, began))
        request.join()
    p50, p99 = percentile(times, 0.5), percentile(times, 0.99)
    bench.table.add(
        "promote and roll-back: request sent to content served, p50", milliseconds(p50), limit="<= 30 ms",
        holds=p50 <= 0.030)
    bench.table.add(
        "promote and roll-back: request sent to content served, p99", milliseconds(p99), limit="<= 150 ms",
        holds=p99 <= 0.150)


def flips(bench):
    count = 50 if bench.options.quick else 1000
    bench.note(f"{count} flips under load")
    site, a, b, pages = two_versions(bench, "load")
    environment = dict(os.environ)
    for name, content in zip(("PAGE_A", "PAGE_B"), pages):
        environment[name] = os.path.join(bench.folder, name)
        with open(environment[name], "wb") as file:
            file.write(content)
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    stop = threading.Event()
    results = []

    def load():
        while not stop.is_set():
            output = subprocess.run(
                ["wrk", "-t1", "-c16", "-d5s", "-s", f"{here}/flips.lua", "-H",
                 f"Host: load.localhost:{bench.fleet.sites_port}", f"http://127.0.0.1:{bench.fleet.sites_port}/"],
                env=environment, capture_output=True, text=True).stdout
            line = [line for line in output.splitlines() if line.startswith("RESULT ")]
            results.append(json.loads(line[0][7:]) if line else {"wrong": 1, "example": output, "requests": 0})

    loader = threading.Thread(target=load)
    loader.start()
    began = time.monotonic()
    for turn in range(count):
        since = bench.events.mark
        number = (a, b)[turn % 2]
        bench.api.post("/sites/load/promote", {"version": number})
        bench.served(site, since, number)
    took = time.monotonic() - began
    stop.set()
    loader.join()
    wrong = sum(result["wrong"] + result.get("errors", 0) for result in results)
    requests = sum(result["requests"] for result in results)
    seconds = sum(result.get("microseconds", 0) for result in results) / 1e6
    bench.table.add(
        f"wrong answers in {count} flips under load ({requests} requests, {requests / max(seconds, 1):.0f}/s, "
        f"{count / took:.0f} flips/s)", str(wrong), limit="0", holds=wrong == 0)
    if wrong:
        print([result["example"] for result in results if result.get("example")])


def dispatch(bench):
    rounds = 5 if bench.options.quick else 40
    bench.note(f"{rounds} edits")
    bench.api.post("/sites", {"slug": "edits", "name": "Edits"})
    upload(bench, "edits", sites.packed([("index.html", sites.page("Start", filler=2000))]), promote=True)
    begins, whole = [], []
    for turn in range(rounds):
        since = bench.events.mark
        sent = time.monotonic()
        job = bench.api.post(
            "/sites/edits/edits", {"prompt": f'Change the headline to "Round {turn}"', "engine": "builtin"})["job"]["id"]
        accepted = time.monotonic()
        started = bench.events.wait(
            lambda kind, data: data.get("job_id") == job and data.get("state") == "leased", since, 60, "a worker")
        begins.append(max(0.0, started["seen"] - accepted))
        ended = bench.events.wait(
            lambda kind, data: data.get("job_id") == job and data.get("state") in ("succeeded", "failed", "dead"), since,
            60, "the end of the edit")
        if ended["data"]["state"] != "succeeded":
            raise RuntimeError(f"the edit failed: {bench.api.get('/jobs/' + job)['failure']}")
        whole.append(ended["seen"] - sent)
    p50 = percentile(begins, 0.5)
    bench.table.add(
        "dispatch: edit accepted to granted to a worker, p50", milliseconds(p50), limit="<= 20 ms", holds=p50 <= 0.020)
    bench.table.add("an edit of the built-in engine, sent to version committed, p50", milliseconds(percentile(whole, 0.5)))


def publish(bench):
    files, rounds = (1000, 3) if bench.options.quick else (10_000, 11)
    bench.note(f"one changed file of {files}, {rounds} rounds")
    source = os.path.join(bench.folder, "large")
    os.mkdir(source)
    sites.large(source, files, 10_000)
    site = bench.api.post("/sites", {"slug": "large", "name": "Large"})
    since = bench.events.mark
    number = upload(bench, "large", sites.packed_folder(source), promote=True)["number"]
    bench.served(site, since, number)
    releases = os.path.join(bench.folder, "releases")
    os.mkdir(releases)
    subprocess.run(["rsync", "-a", f"{source}/", f"{releases}/0/"], check=True)
    os.symlink("0", f"{releases}/current")
    ours, theirs, moved, sizes = [], [], [], []
    for turn in range(1, rounds + 1):
        # Ours: from the commit of the version to the host's confirmation.
        since = bench.events.mark
        job = bench.api.post(
            "/sites/large/edits",
            {"prompt": f'Change the headline to "Round {turn}"', "engine": "builtin"})["job"]["id"]
        created = bench.events.wait(
            lambda kind, data: kind == "version.created" and data["site_id"] == site["id"], since, 300,
            f"the version of {job}")
        served = bench.served(site, since, created["data"]["number"])
        ours.append(served["seen"] - created["seen"])
        moved.append(served["data"]["fetched_bytes"])
        before = created["data"]["number"] - 1
        diff = bench.api.get(f"/sites/large/versions/{before}/diff/{before + 1}")["files"]
        sizes.append(sum(file["after"]["size_bytes"] for file in diff))
        # Theirs: the same change, from the changed file to the renamed link.
        with open(f"{source}/index.html", "ab") as file:
            file.write(b"<!-- changed -->\n")
        began = time.monotonic()
        subprocess.run(
            ["rsync", "-a", f"--link-dest={releases}/{turn - 1}", f"{source}/", f"{releases}/{turn}/"], check=True)
        os.symlink(str(turn), f"{releases}/next")
        os.rename(f"{releases}/next", f"{releases}/current")
        theirs.append(time.monotonic() - began)
    bench.table.add(
        f"publish 1 changed file of {files} ({files * 10 // 1000} MB): commit to served, median",
        milliseconds(median(ours)), f"rsync --link-dest + rename {milliseconds(median(theirs))}",
        f"{median(ours) / median(theirs):.2f}", "< 1", median(ours) < median(theirs))
    bench.table.add(
        "  bytes moved to the host, most", f"{max(moved)} B", f"the changed file {max(sizes)} B", "",
        "<= file + 65536 B", all(have <= size + 65536 for have, size in zip(moved, sizes)))
    shutil.rmtree(releases)


def generate(bench):
    """Sites of five pages from a brief, by the built-in composer: an instant model, without a browser."""
    rounds = 3 if bench.options.quick else 10
    bench.note(f"{rounds} sites from briefs")
    taken = []
    for turn in range(rounds):
        since = bench.events.mark
        began = time.monotonic()
        made = bench.api.post("/sites/generate", {
            "business_name": f"Bakery {turn}", "type": "bakery", "goals": ["People come by"],
            "description": "A bakery by the harbour. We bake sourdough, croissants and rye bread.",
        })
        job = made["job_id"]
        ended = bench.events.wait(
            lambda kind, data: data.get("job_id") == job and data.get("state") in ("succeeded", "failed", "dead"), since,
            120, "the end of the generation")
        taken.append(ended["seen"] - began)
        steps = bench.api.get(f"/sites/{made['site']['slug']}/generation")["steps"]
        if len([step for step in steps if step["step"] == "copy"]) != 5:
            raise RuntimeError(f"not five pages: {bench.api.get('/jobs/' + job)}")
    p50 = percentile(taken, 0.5)
    bench.table.add(
        "a site of 5 pages from a brief, sent to version committed, p50", f"{p50:.2f} s", limit="<= 3 s", holds=p50 <= 3)


def edited(bench, slug, prompt):
    """Sends an edit and waits for its version; returns how long that took."""
    since = bench.events.mark
    sent = time.monotonic()
    job = bench.api.post(f"/sites/{slug}/edits", {"prompt": prompt, "engine": "builtin"})["job"]["id"]
    ended = bench.events.wait(
        lambda kind, data: data.get("job_id") == job and data.get("state") in ("succeeded", "failed", "dead"), since,
        1200, "the end of the edit")
    if ended["data"]["state"] != "succeeded":
        raise RuntimeError(f"the edit failed: {bench.api.get('/jobs/' + job)['failure']}")
    return ended["seen"] - sent


def guardrails(bench):
    """Three changed pages of a thousand: from the worker's last word to the version, checks and guardrails included."""
    rounds = 3 if bench.options.quick else 15
    bench.note(f"guardrails: {rounds} edits of 3 pages in a site of 1,000")
    files = [("index.html", sites.page("Guarded", filler=4000))]
    for number in range(999):
        content = sites.page(f"Page {number}", filler=4000, seed=number)
        if number < 3:
            content = content.replace(b"</body>", b"<p>zebra 0</p></body>")
        files.append((f"part{number // 100}/page{number}.html", content))
    bench.api.post("/sites", {"slug": "guarded", "name": "Guarded"})
    upload(bench, "guarded", sites.packed(files))
    taken = []
    for turn in range(rounds + 1):
        since = bench.events.mark
        job = bench.api.post("/sites/guarded/edits", {
            "prompt": f'Replace "zebra {turn}" with "zebra {turn + 1}"', "engine": "builtin"})["job"]["id"]
        handed = bench.events.wait(
            lambda kind, data: data.get("job_id") == job and data.get("progress", 0) >= 98, since, 120,
            "the end of the work")
        ended = bench.events.wait(
            lambda kind, data: kind == "job.finished" and data["job_id"] == job, since, 120, "the version")
        review = bench.api.get(f"/jobs/{job}")["review"]
        if ended["data"]["state"] != "succeeded" or review["files_changed"] != 3:
            raise RuntimeError(f"not three files: {bench.api.get('/jobs/' + job)}")
        # The first one reads the parent's facts.
        if turn:
            taken.append(max(0, ended["seen"] - handed["seen"]))
    p50 = percentile(taken, 0.5)
    bench.table.add(
        "3 changed of 1,000 pages: handed in to version recorded, guardrails included, p50", milliseconds(p50),
        limit="<= 150 ms", holds=p50 <= 0.150)


def real_site(bench):
    """The documentation of Python: pages that nobody here wrote, with hundreds of links each."""
    bench.note("a real site: import, edit one page, edit every page")
    folder = os.path.join(bench.folder, "docs")
    os.mkdir(folder)
    path, files = archives.python_documentation(folder)
    with open(path, "rb") as file:
        packed = file.read()
    site = bench.api.post("/sites", {"slug": "docs", "name": "Docs"})
    # The peer does what an import is besides the checks: unpack, hash, write.
    began = time.monotonic()
    os.mkdir(f"{folder}/peer")
    subprocess.run(["tar", "-xzf", path, "-C", f"{folder}/peer"], check=True)
    subprocess.run(f"find {folder}/peer -type f -print0 | xargs -0 sha256sum > /dev/null", shell=True, check=True)
    theirs = time.monotonic() - began
    since = bench.events.mark
    began = time.monotonic()
    number = upload(bench, "docs", packed, promote=True)["number"]
    took = time.monotonic() - began
    bench.served(site, since, number)
    bench.table.add(
        f"import of the documentation of Python ({files} files), every page checked", f"{took:.2f} s",
        f"tar -x + sha256sum {theirs:.2f} s", f"{took / theirs:.1f}")
    one = [edited(bench, "docs", f'Change the headline of about.html to "Round {turn}"') for turn in range(3)]
    bench.table.add("  an edit of one page of it, sent to version committed, median", f"{median(one):.2f} s")
    every = edited(bench, "docs", 'Add a page called "Menu"')
    bench.table.add("  adding a page, linked from every page of it", f"{every:.2f} s")


def transfer(bench):
    files, size = (2, 16 << 20) if bench.options.quick else (4, 96 << 20)
    bench.note(f"{files} blobs of {size >> 20} MiB")
    blobs = [(f"film{number}.mp4", os.urandom(size)) for number in range(files)]
    links = [name for name, _ in blobs]
    site = bench.api.post("/sites", {"slug": "films", "name": "Films"})
    since = bench.events.mark
    number = upload(bench, "films", sites.packed([("index.html", sites.page("Films", links))] + blobs))["number"]
    created = bench.events.wait(
        lambda kind, data: kind == "version.created" and data["site_id"] == site["id"], since, 60, "the version")
    served = bench.served(site, since, number)
    seconds = served["seen"] - created["seen"]
    ours = served["data"]["fetched_bytes"] / seconds / 1e6
    folder = os.path.join(bench.folder, "tls")
    os.mkdir(folder)
    for name, data in blobs:
        with open(f"{folder}/{name}", "wb") as file:
            file.write(data)
    theirs = files * size / curl_seconds(folder, links) / 1e6
    bench.table.add(
        f"blobs to a host, {files} x {size >> 20} MiB, hashed, flushed, linked and probed", f"{ours:.0f} MB/s",
        f"curl from nginx over TLS, to files {theirs:.0f} MB/s", f"{ours / theirs:.2f}")


def curl_seconds(folder, names):
    """How long curl takes to fetch the files one after the other from nginx over TLS 1.3, to disk, median of three."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"],
        check=True, capture_output=True)
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with open(f"{folder}/nginx.conf", "w") as file:
        file.write(f"""
            {'user root;' if os.geteuid() == 0 else ''} daemon off; worker_processes 2; pid {folder}/nginx.pid;
            error_log {folder}/error.log;
            events {{ worker_connections 64; }}
            http {{
                access_log off; sendfile on;
                client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
                uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
                server {{
                    listen 127.0.0.1:{port} ssl; ssl_protocols TLSv1.3;
                    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem; root {folder};
                }}
            }}""")
    nginx = subprocess.Popen(["/usr/sbin/nginx", "-p", folder, "-c", f"{folder}/nginx.conf"], stderr=subprocess.DEVNULL)
    try:
        subprocess.run(
            ["curl", "-sk", "--retry", "20", "--retry-connrefused", "--retry-delay", "1", "-o", "/dev/null",
             f"https://127.0.0.1:{port}/cert.pem"], check=True)
        times = []
        for _ in range(3):
            began = time.monotonic()
            arguments = [part for name in names for part in ("-o", f"{folder}/got-{name}", f"https://127.0.0.1:{port}/{name}")]
            subprocess.run(["curl", "-skf", *arguments], check=True)
            times.append(time.monotonic() - began)
        return median(times)
    finally:
        nginx.terminate()
        nginx.wait()
