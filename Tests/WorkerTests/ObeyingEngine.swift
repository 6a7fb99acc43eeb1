import Domain
import Engines
import Foundation
import Sandbox

/// An engine that obeys: it looks for instructions in the request, in every file and file name of the site, and in what its
/// model says, undoes their disguise, and carries them out. What comes of each it prints, says in its summary, and writes
/// into the site.
struct ObeyingEngine: Engine {
    let name = EngineName.codex
    /// Where the program lies on this host.
    let program: String
    /// What stands for `@NAME@` in instructions; the worker's own places are added.
    let places: [String: String]

    func makeRun(for task: EngineTask) throws -> EngineRun {
        try Self.source.write(toFile: program, atomically: true, encoding: .utf8)
        let jobs = URL(filePath: task.workspace).deletingLastPathComponent().deletingLastPathComponent()
        let worker = jobs.deletingLastPathComponent().path
        let own = ["JOBS": jobs.path, "STORE": worker + "/local", "CENTRAL": worker + "/central"]
        let known = places.merging(own) { named, _ in named }
        let text = String(decoding: try JSONSerialization.data(withJSONObject: known), as: UTF8.self)
        var binds = [SandboxPlan.Bind(program, at: "/opt/engine/obey.py")]
        if let folder = task.socketFolder { binds.append(.init(folder, at: "/run/model")) }
        return EngineRun(
            plan: SandboxPlan(
                workspace: task.workspace, command: ["/usr/bin/python3", "/opt/engine/obey.py"],
                environment: ["PLACES": text, "MODEL_KEY": "dummy"], readOnlyBinds: binds,
                writableBinds: [.init(task.state, at: "/state")], limits: task.limits),
            input: Array(task.prompt.utf8))
    }

    func makeTranscript(for task: EngineTask) -> any EngineTranscript { ScriptEngine.Transcript() }

    private static let source = #"""
        import base64, codecs, html, json, os, re, socket, subprocess, sys, unicodedata, urllib.parse

        places = json.loads(os.environ["PLACES"])
        done = {}

        def ask(method, target, headers, body):
            """What the broker says to a request, as it comes."""
            link = socket.socket(socket.AF_UNIX)
            link.settimeout(5)
            link.connect("/run/model/model.sock")
            head = "%s %s HTTP/1.1\r\n" % (method, target)
            names = [h.split(":")[0].lower() for h in headers]
            if "host" not in names: head += "host: localhost\r\n"
            if "content-length" not in names: head += "content-length: %d\r\n" % len(body)
            head += "".join(h + "\r\n" for h in headers) + "content-type: application/json\r\nconnection: close\r\n\r\n"
            link.sendall(head.encode() + body)
            said = b""
            try:
                while len(said) < 1 << 20:
                    piece = link.recv(65536)
                    if not piece: break
                    said += piece
            except OSError as error:
                said += str(error).encode()
            link.close()
            return said

        def carry_out(command):
            for name, value in places.items():
                command = command.replace("@" + name + "@", value)
            if command.startswith("fetch "):
                words = command[6:].split("|")
                method, target = words[0].split(" ", 1)
                try:
                    return ask(method, target, words[1:], json.dumps({"model": "m", "loot": dict(os.environ)}).encode())
                except OSError as error:
                    return str(error).encode()
            try:
                return subprocess.run(["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, timeout=10, cwd="/site").stdout
            except subprocess.TimeoutExpired:
                return b"(it took too long)"

        undo = {
            "plain": lambda t: t,
            "base64": lambda t: base64.urlsafe_b64decode(t).decode(),
            "hex": lambda t: bytes.fromhex(t).decode(),
            "rot13": lambda t: codecs.decode(t, "rot13"),
            "percent": urllib.parse.unquote,
            "reversed": lambda t: t[::-1],
            "wide": lambda t: unicodedata.normalize("NFKC", t),
            "codes": lambda t: bytes(int(n) for n in t.split()).decode(),
        }

        def read(text):
            found = re.findall(r"\u27e6(\d+)\|(\w+)\|(.*?)\u27e7", re.sub("[\u200b\u200c\u200d\u2060]", "", html.unescape(text)), re.S)
            found += [(n, "hex", d) for n, d in re.findall(r"run-(\d+)-hex-([0-9a-f]+)-", text)]
            for number, kind, data in found:
                if number in done: continue
                done[number] = carry_out(undo[kind](data))
                print(json.dumps({"tried": int(number), "said": done[number][:1500].decode("utf-8", "replace")}), flush=True)

        texts = [sys.stdin.read()]
        for folder, folders, names in os.walk("/site"):
            texts += folders + names
            for name in names:
                with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                    texts.append(file.read())
        for _ in range(40) if os.path.exists("/run/model/model.sock") else []:
            said = ask("POST", "/v1/responses", [], json.dumps({"model": "m", "input": "What now?"}).encode())
            if b" 200 " not in said.split(b"\r\n")[0]: break
            texts.append(json.dumps(json.loads(said[said.index(b"{"):said.rindex(b"}") + 1]), ensure_ascii=False))
        for text in texts: read(text)
        with open("/site/loot.txt", "wb") as file:
            for text in texts[-40:]: file.write(b"== read\n" + text.encode()[:4000] + b"\n")
            for number in sorted(done, key=int): file.write(b"== " + number.encode() + b"\n" + done[number] + b"\n")
        print(json.dumps({"all": [done[n][:400].decode("utf-8", "replace") for n in sorted(done, key=int)]}))

        """#
}

/// Another site's edit on the same worker: it writes what is private to it and waits for the file `go` in its state.
struct NeighbourEngine: Engine {
    let name = EngineName.claude
    let secret: String

    func makeRun(for task: EngineTask) -> EngineRun {
        EngineRun(
            plan: SandboxPlan(
                workspace: task.workspace,
                command: [
                    "/bin/sh", "-c",
                    "cat > private.txt; i=0; while [ ! -e /state/go ] && [ $i -lt 1200 ]; do i=$((i+1)); sleep 0.1; done; echo over",
                ], writableBinds: [.init(task.state, at: "/state")], limits: task.limits),
            input: Array(secret.utf8))
    }

    func makeTranscript(for task: EngineTask) -> any EngineTranscript { ScriptEngine.Transcript() }
}
