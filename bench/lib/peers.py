"""Programs of others that are measured beside ours, from PyPI, in an environment of their own."""

import os
import subprocess
import sys
import time

from fleet import free_port

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ENVIRONMENT = os.path.join(ROOT, ".venv-bench")
PACKAGES = ["procrastinate==3.10.0", "fastapi==0.165.0", "uvicorn[standard]==0.54.0", "psycopg[binary,pool]==3.3.9"]

TASKS = '''
import asyncio, sys, time
import procrastinate

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=sys.argv[1]))

@app.task(name="nothing", queue="bench")
async def nothing():
    pass

async def main(jobs):
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await nothing.batch_defer_async(*[{} for _ in range(jobs)])
        began = time.monotonic()
        await app.run_worker_async(queues=["bench"], concurrency=int(sys.argv[3]), wait=False, listen_notify=False,
                                   install_signal_handlers=False)
        print(jobs / (time.monotonic() - began))

asyncio.run(main(int(sys.argv[2])))
'''

SITES = '''
import os
from contextlib import asynccontextmanager
from fastapi import FastAPI, Header, HTTPException
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

pool = AsyncConnectionPool(os.environ["DATABASE"], min_size=8, max_size=16, open=False, kwargs={"row_factory": dict_row})

@asynccontextmanager
async def life(app):
    await pool.open()
    yield
    await pool.close()

app = FastAPI(lifespan=life)

@app.get("/api/v1/sites")
async def sites(limit: int = 20, cursor: str = "~", authorization: str = Header()):
    if not authorization.startswith("Bearer "):
        raise HTTPException(401)
    async with pool.connection() as connection:
        rows = await (await connection.execute(
            "SELECT * FROM site WHERE owner_id = %s AND id < %s AND deleted_at IS NULL ORDER BY id DESC LIMIT %s",
            (os.environ["OWNER"], cursor, limit + 1))).fetchall()
    return {"items": rows[:limit], "next_cursor": rows[limit - 1]["id"] if len(rows) > limit else None}
'''


def python(bench):
    """The environment's Python; made at the first use."""
    marker = os.path.join(ENVIRONMENT, "packages")
    wanted = "\n".join(PACKAGES)
    if not os.path.exists(marker) or open(marker).read() != wanted:
        bench.note("installing the peers from PyPI")
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        subprocess.run([f"{ENVIRONMENT}/bin/pip", "install", "--quiet", *PACKAGES], check=True)
        with open(marker, "w") as file:
            file.write(wanted)
    return f"{ENVIRONMENT}/bin/python"


def procrastinate(bench, server, jobs, width):
    """Empty jobs a second on the same server, so many side by side."""
    server.make_database("procrastinate")
    script = os.path.join(bench.folder, "tasks.py")
    with open(script, "w") as file:
        file.write(TASKS)
    said = subprocess.run(
        [python(bench), script, f"host={server.folder} user=app dbname=procrastinate", str(jobs), str(width)],
        capture_output=True, text=True, timeout=900)
    if said.returncode != 0:
        raise RuntimeError("Procrastinate: " + said.stderr[-2000:])
    return float(said.stdout.split()[-1])


def fastapi(bench, server, database, owner, measure):
    """The same list from the same rows, by FastAPI, one process of uvicorn."""
    with open(os.path.join(bench.folder, "sites_api.py"), "w") as file:
        file.write(SITES)
    port = free_port()
    environment = dict(os.environ, DATABASE=f"host={server.folder} user=app dbname={database}", OWNER=owner)
    process = subprocess.Popen(
        [python(bench), "-m", "uvicorn", "sites_api:app", "--port", str(port), "--log-level", "warning",
         "--no-access-log"], cwd=bench.folder, env=environment)
    try:
        url = f"http://127.0.0.1:{port}/api/v1/sites?limit=20"
        for _ in range(300):
            if subprocess.run(["curl", "-sf", "-o", "/dev/null", "-H", "Authorization: Bearer x", url],
                              check=False).returncode == 0:
                break
            time.sleep(0.1)
        return measure(url)
    finally:
        process.terminate()
        process.wait(30)
