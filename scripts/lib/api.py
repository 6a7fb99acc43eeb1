"""A client of the REST API: standard library only, one keep-alive connection per thread."""

import http.client
import json
import socket
import threading
import time
import uuid


class Refused(Exception):
    """The API answered with a problem document."""

    def __init__(self, status, problem):
        super().__init__(f"{status}: {problem.get('detail') or problem.get('title') or problem}")
        self.status = status
        self.problem = problem
        self.rules = {problem.get("rule")} | {
            finding.get("rule") for finding in problem.get("findings") or [] if finding.get("severity") == "error"}
        self.rules.discard(None)


class API:
    """Speaks to one coordinator at `address` (http://host:port) as the user whose token it has."""

    def __init__(self, address):
        self.host, port = address.removeprefix("http://").rstrip("/").rsplit(":", 1)
        self.port = int(port)
        self.token = None
        self._local = threading.local()

    def request(self, method, path, body=None, content_type="application/json", timeout=300):
        """Returns (status, headers, bytes)."""
        headers = {"User-Agent": "pagewright-demo"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if method != "GET":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        if body is not None:
            headers["Content-Type"] = content_type
            if not isinstance(body, (bytes, bytearray)):
                body = json.dumps(body).encode()
        for attempt in (1, 2):
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
                connection.connect()
                connection.sock.setsockopt(6, 1, 1)  # TCP_NODELAY
                self._local.connection = connection
            try:
                connection.request(method, path, body=body, headers=headers)
                response = connection.getresponse()
                data = response.read()
                if response.will_close:
                    self._local.connection = None
                return response.status, response.headers, data
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self._local.connection = None
                if attempt == 2:
                    raise

    def call(self, method, path, body=None, **options):
        """Returns the decoded answer; raises Refused for everything but 2xx."""
        status, headers, data = self.request(method, "/api/v1" + path, body, **options)
        kind = headers.get("Content-Type", "")
        decoded = json.loads(data) if data and "json" in kind else data
        if not 200 <= status < 300:
            raise Refused(status, decoded if isinstance(decoded, dict) else {"detail": data[:300].decode("latin-1")})
        return decoded

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body=None, **options):
        return self.call("POST", path, {} if body is None else body, **options)

    def items(self, path):
        """Every item of a paged list."""
        found, cursor = [], None
        while True:
            separator = "&" if "?" in path else "?"
            page = self.get(f"{path}{separator}limit=100" + (f"&cursor={cursor}" if cursor else ""))
            found += page["items"]
            cursor = page.get("next_cursor")
            if not cursor:
                return found

    def until_looked_at(self, site, version, timeout=900):
        """Waits until no browser looks at what an edit changed any more: before that, promoting it is refused."""
        deadline = time.monotonic() + timeout
        while (checks := self.get(f"/sites/{site}/versions/{version}/checks"))["state"] == "waiting":
            if time.monotonic() > deadline:
                raise TimeoutError(f"a browser still looks at version {version} of {site} after {timeout} s")
            time.sleep(0.2)
        return checks

    def register(self, email, password, name):
        session = self.post("/auth/register", {"email": email, "password": password, "name": name})
        self.token = session["access_token"]
        return session

    def login(self, email, password):
        session = self.post("/auth/login", {"email": email, "password": password})
        self.token = session["access_token"]
        return session


class Events:
    """Reads the event stream in a thread and lets others wait for what they look for."""

    def __init__(self, api):
        self._changed = threading.Condition()
        self._events = []
        self.failure = None
        self._connection = http.client.HTTPConnection(api.host, api.port, timeout=60)
        self._connection.request(
            "GET", "/api/v1/events",
            headers={"Authorization": f"Bearer {api.token}", "Accept": "text/event-stream"})
        self._socket = self._connection.sock
        self._response = self._connection.getresponse()
        if self._response.status != 200:
            raise Refused(self._response.status, {"detail": "the event stream was refused"})
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        event = {}
        try:
            while True:
                line = self._response.readline().decode()
                if not line:
                    raise ConnectionError("the event stream ended")
                line = line.rstrip("\r\n")
                if line.startswith("id:"):
                    event["id"] = line[3:].strip()
                elif line.startswith("event:"):
                    event["kind"] = line[6:].strip()
                elif line.startswith("data:"):
                    event["data"] = json.loads(line[5:])
                elif line == "" and "data" in event:
                    event["seen"] = time.monotonic()
                    with self._changed:
                        self._events.append(event)
                        self._changed.notify_all()
                    event = {}
        except Exception as error:  # the stream's end is for whoever waits to judge
            with self._changed:
                self.failure = error
                self._changed.notify_all()

    @property
    def mark(self):
        """Everything up to here is past."""
        with self._changed:
            return len(self._events)

    def all(self, since=0):
        with self._changed:
            return list(self._events[since:])

    def wait(self, wanted, since=0, timeout=60, what="an event"):
        """The first event after `since` for which `wanted(kind, data)` is true."""
        deadline = time.monotonic() + timeout
        position = since
        with self._changed:
            while True:
                while position < len(self._events):
                    event = self._events[position]
                    position += 1
                    if wanted(event["kind"], event["data"]):
                        return event
                left = deadline - time.monotonic()
                if self.failure or left <= 0:
                    kinds = [event["kind"] for event in self._events[since:]]
                    raise TimeoutError(f"no sign of {what} within {timeout} s; seen since: {kinds}; {self.failure or ''}")
                self._changed.wait(left)

    def close(self):
        # The response has the socket too: only this ends the stream.
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the server was quicker
        self._connection.close()
