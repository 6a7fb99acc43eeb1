import FoundationEssentials
import Glibc

/// Looks at pages with a real browser, whose only network is the folder of the site: every request is answered here.
/// For one thread, which it blocks; meant for a process of its own in a sandbox.
package final class PageChecker {
    private static let host = "http://site.test"
    private static let parentHost = "http://before.test"
    private static let pictureHeightLimit = 4000
    private static let problemLimit = 100

    private let request: BrowserRequest
    private let connection: BrowserConnection
    private let deadline: ContinuousClock.Instant
    private var report = BrowserReport()
    private var seen: Set<BrowserReport.Problem> = []
    /// The page that is looked at now; `nil` while it is one of the version before.
    private var page: String?
    private var session = ""
    private var target: ProtocolValue = ""
    /// Pages that kept the browser busy for too long.
    private var stuck: [String] = []
    /// Of all pictures; and how many had no room.
    private var pictureBytes = 0
    /// Of those of the version before.
    private var beforeBytes = 0
    /// How accessible the start page of the version before is, which new pages are measured by; `nil` before it was seen.
    private var startFaults: AccessibilityFaults?
    private var leftOut = 0
    /// The loads after which nothing more was asked for.
    private var rested: Set<String> = []

    private init(_ request: BrowserRequest) throws {
        self.request = request
        deadline = .now + .seconds(request.secondsForAll)
        connection = try BrowserConnection(
            program: request.program,
            arguments: [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--mute-audio",
                "--no-first-run",
                "--no-default-browser-check", "--disable-dev-shm-usage", "--disable-background-networking",
                "--disable-component-update", "--disable-default-apps", "--disable-extensions", "--disable-sync",
                "--disable-features=Translate,MediaRouter,OptimizationHints", "--metrics-recording-only",
                "--force-color-profile=srgb", "--font-render-hinting=none", "--user-data-dir=/tmp/browser",
                "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe", "about:blank",
            ])
    }

    /// Looks at everything that was asked for. What stopped it is in the report; it never fails.
    package static func check(_ request: BrowserRequest) -> BrowserReport {
        do {
            let checker = try PageChecker(request)
            return checker.run()
        } catch {
            return .impossible(because: "\(error)")
        }
    }

    /// The checker as a process: a ``BrowserRequest`` on standard input, a ``BrowserReport`` on standard output. Gives the
    /// exit status.
    package static func runProcess() -> Int32 {
        // A browser that is gone must not take this process along: the report says what was seen until then.
        signal(SIGPIPE, SIG_IGN)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(STDIN_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0, bytes.count < 4 << 20 else { return 1 }
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        guard let request = try? JSONDecoder().decode(BrowserRequest.self, from: Data(bytes)),
            let answer = try? JSONEncoder().encode(check(request))
        else { return 1 }
        let line = Array(answer) + [0x0a]
        var done = 0
        while done < line.count {
            let count = line.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress! + done, $0.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return 1 }
            done += count
        }
        return 0
    }

    private func run() -> BrowserReport {
        var obstacle: String?
        do {
            try open()
            for path in request.pages.prefix(BrowserRequest.pageLimit) {
                guard ContinuousClock.now < deadline else { throw BrowserError.late("all pages") }
                do {
                    for width in BrowserRequest.widths { try look(at: path, width: width) }
                } catch BrowserError.late where ContinuousClock.now < deadline {
                    // A page that never comes to rest must not cost the others: they get a tab of their own.
                    stuck.append(path)
                    try reopen()
                }
            }
            // Without it there is the picture from before: no reason to say that the checks could not run.
            if let start = request.start, !stuck.contains(start) { try? takeThumbnail(of: start) }
        } catch {
            obstacle = "\(error)"
        }
        report.checks = BrowserReport.Check.Name.allCases.map { .init($0, obstacle: obstacle ?? self.obstacle(to: $0)) }
        return report
    }

    /// What kept a check from some pages, or from all.
    private func obstacle(to name: BrowserReport.Check.Name) -> String? {
        if name == .difference, request.parent == nil { return "there is no version before to compare with" }
        if let first = stuck.first {
            let others = stuck.count > 1 ? " and \(stuck.count - 1) more" : ""
            return "\(first)\(others) kept the browser busy for too long"
        }
        if leftOut > 0, name == .screenshots || name == .difference {
            return "\(leftOut) pictures had no room: \(BrowserRequest.picturesLimit >> 20) MiB is for all of them"
        }
        let more = request.pages.count - BrowserRequest.pageLimit
        return more > 0 ? "\(more) pages more were left out: \(BrowserRequest.pageLimit) are looked at" : nil
    }

    // MARK: The browser

    private func open() throws {
        connection.onEvent = { [unowned self] in self.receive($0) }
        let target = try connection.call("Target.createTarget", ["url": "about:blank"], within: .seconds(30))[
            "targetId"]
        let attached = try connection.call(
            "Target.attachToTarget", ["targetId": target ?? "", "flatten": true])
        guard let id = attached["sessionId"]?.text else { throw BrowserError.refused(method: "attach", "no session") }
        session = id
        self.target = target ?? ""
        for domain in ["Page", "Runtime", "Log", "Network", "Accessibility"] { try call("\(domain).enable") }
        try call("Page.setLifecycleEventsEnabled", ["enabled": true])
        try call("Fetch.enable", ["patterns": [["urlPattern": "*"]]])
        try call("Emulation.setEmulatedMedia", ["features": [["name": "prefers-reduced-motion", "value": "reduce"]]])
    }

    /// Leaves a tab that does not answer behind.
    private func reopen() throws {
        page = nil
        session = ""
        _ = try connection.post("Target.closeTarget", ["targetId": target])
        try open()
    }

    @discardableResult
    private func call(_ method: String, _ parameters: ProtocolValue = [:]) throws -> ProtocolValue {
        guard ContinuousClock.now < deadline else { throw BrowserError.late("all pages") }
        return try connection.call(method, parameters, session: session)
    }

    private func receive(_ event: BrowserConnection.Event) {
        guard event.session == session else { return }
        let parameters = event.parameters
        switch event.method {
        case "Fetch.requestPaused": fulfil(parameters)
        case "Page.lifecycleEvent":
            guard let load = parameters["loaderId"]?.text, parameters["name"]?.text == "networkIdle" else { return }
            rested.insert(load)
        case "Runtime.exceptionThrown":
            let details = parameters["exceptionDetails"]
            let text = details?["exception"]?["description"]?.text ?? details?["text"]?.text ?? "an error"
            note("console-error", subject: String(text.prefix(200)), "A script failed: \(text.prefix(300)).")
        case "Runtime.consoleAPICalled" where parameters["type"]?.text == "error":
            let text = parameters["args"]?.list.compactMap { $0["value"]?.text ?? $0["description"]?.text }.joined(
                separator: " ")
            note(
                "console-error", subject: String((text ?? "").prefix(200)),
                "A script complained: \((text ?? "").prefix(300)).")
        case "Page.javascriptDialogOpening":
            _ = try? connection.post("Page.handleJavaScriptDialog", ["accept": false], session: session)
        default: break
        }
    }

    /// Answers a request out of the folder; what leads elsewhere fails.
    private func fulfil(_ parameters: ProtocolValue) {
        guard let id = parameters["requestId"] else { return }
        let address = parameters["request"]?["url"]?.text ?? ""
        let folder: String? =
            if address.hasPrefix(Self.host + "/") {
                request.folder
            } else if address.hasPrefix(Self.parentHost + "/") {
                request.parent
            } else {
                nil
            }
        guard let folder else {
            note(
                "request-foreign", subject: String(address.prefix(200)),
                "The page asks another site for \(address.prefix(200)).")
            _ = try? connection.post(
                "Fetch.failRequest", ["requestId": id, "errorReason": "BlockedByClient"], session: session)
            return
        }
        let rest = address.dropFirst((address.hasPrefix(Self.host + "/") ? Self.host : Self.parentHost).count)
        let path = String(rest.prefix { $0 != "?" && $0 != "#" })
        let answer = SiteFiles(folder: folder).answer(path)
        if answer.status != 200, path != "/favicon.ico" {
            note("request-failed", subject: path, "\"\(path.prefix(200))\" is missing (\(answer.status)).")
        }
        _ = try? connection.post(
            "Fetch.fulfillRequest",
            [
                "requestId": id, "responseCode": .number(Double(answer.status)),
                "responseHeaders": [["name": "Content-Type", "value": .text(answer.type)]],
                "body": .text(Data(answer.bytes).base64EncodedString()),
            ], session: session)
    }

    private func note(_ rule: String, subject: String, _ message: String) {
        guard let page, seen.count < Self.problemLimit else { return }
        let problem = BrowserReport.Problem(rule: rule, page: page, subject: subject, message: message)
        if seen.insert(problem).inserted { report.problems.append(problem) }
    }

    // MARK: A page

    private func show(_ address: String, width: Int) throws {
        try call(
            "Emulation.setDeviceMetricsOverride",
            ["width": .number(Double(width)), "height": 900, "deviceScaleFactor": 1, "mobile": false])
        let load = try call("Page.navigate", ["url": .text(address)])["loaderId"]?.text ?? ""
        // A page that never rests is looked at as it is then.
        _ = try connection.wait(within: .seconds(10)) { rested.contains(load) }
    }

    private func look(at path: String, width: Int) throws {
        page = path
        try show("\(Self.host)/\(Self.escaped(path))", width: width)
        let measured = try evaluate(PageScripts.overflow)
        if let over = measured?["over"]?.number, over > 1 {
            let found = measured?["found"]?.list.compactMap(\.text).joined(separator: ", ") ?? ""
            note(
                "page-overflow", subject: "\(width)",
                "At \(width) pixels the page is \(Int(over)) pixels wider than the screen"
                    + (found.isEmpty ? "." : ": \(found)."))
        }
        let height = min(Self.pictureHeightLimit, max(200, Int(measured?["height"]?.number ?? 900)))
        let isLast = width == BrowserRequest.widths.last
        let faults = try isLast ? accessibilityFaults() : AccessibilityFaults()
        for problem in faults.problems { note(problem.rule, subject: problem.subject, problem.message) }
        let picture = try capture(width: width, height: height)
        let place = try keep(picture, width: width, height: height)
        var changes: [BrowserReport.Box]?
        if let parent = request.parent, SiteFiles(folder: parent).answer("/" + Self.escaped(path)).status == 200 {
            page = nil
            try show("\(Self.parentHost)/\(Self.escaped(path))", width: width)
            if isLast { mark(faults.worse(than: try accessibilityFaults()), on: path) }
            let before = try evaluate(PageScripts.overflow)
            let oldHeight = min(Self.pictureHeightLimit, max(200, Int(before?["height"]?.number ?? 900)))
            let old = try capture(width: width, height: oldHeight)
            if let kept = try keep(old, width: width, height: oldHeight, isBefore: true) {
                report.before.append(
                    .init(page: path, width: width, height: kept.height, file: kept.file, changes: nil))
            }
            // Where no rule and no script of the page has a say.
            try call("Page.navigate", ["url": "about:blank"])
            let boxes = try evaluate(PageScripts.difference(old, picture), isLate: true)
            changes = boxes?.list.map { box in
                func side(_ name: String) -> Int { Int(box[name]?.number ?? 0) }
                return .init(x: side("x"), y: side("y"), width: side("width"), height: side("height"))
            }
        } else if isLast, !faults.problems.isEmpty, let start = try accessibilityFaultsOfStart() {
            mark(faults.worse(than: start), on: path)
        }
        guard let place else { return }
        report.screenshots.append(
            .init(page: path, width: width, height: place.height, file: place.file, changes: changes))
    }

    /// The top of the start page, small. What is wrong with the page was said when it was looked at, or before.
    private func takeThumbnail(of path: String) throws {
        page = nil
        guard SiteFiles(folder: request.folder).answer("/" + Self.escaped(path)).status == 200 else { return }
        try show("\(Self.host)/\(Self.escaped(path))", width: 1280)
        let picture = try capture(width: 1280, height: 800, format: "jpeg", quality: 80, scale: 0.375)
        guard let data = Data(base64Encoded: picture), pictureBytes + data.count <= BrowserRequest.picturesLimit else {
            return
        }
        pictureBytes += data.count
        let name = "\(report.screenshots.count).jpeg"
        try Self.write(data, to: request.pictures + "/" + name)
        report.screenshots.append(
            .init(page: path, kind: .thumbnail, width: 480, height: 300, file: name, changes: nil))
    }

    /// Writes the picture, or a coarser one that is small enough; `nil` when there is no room for it.
    private func keep(
        _ png: String, width: Int, height: Int, isBefore: Bool = false
    ) throws -> (file: String, height: Int)? {
        guard var data = Data(base64Encoded: png) else {
            throw BrowserError.refused(method: "screenshot", "no picture")
        }
        var format = "png"
        var height = height
        for quality in [80, 50, 30] where data.count > BrowserRequest.pictureLimit {
            format = "jpeg"
            if quality == 30 { height = min(height, 1600) }
            let coarse = try capture(width: width, height: height, format: format, quality: quality)
            data = Data(base64Encoded: coarse) ?? data
        }
        if isBefore {
            guard data.count <= BrowserRequest.pictureLimit, beforeBytes + data.count <= BrowserRequest.picturesLimit
            else { return nil }
            beforeBytes += data.count
            let name = "before-\(report.before.count).\(format)"
            try Self.write(data, to: request.pictures + "/" + name)
            return (name, height)
        }
        guard data.count <= BrowserRequest.pictureLimit, pictureBytes + data.count <= BrowserRequest.picturesLimit
        else {
            leftOut += 1
            return nil
        }
        pictureBytes += data.count
        let name = "\(report.screenshots.count).\(format)"
        try Self.write(data, to: request.pictures + "/" + name)
        return (name, height)
    }

    private func evaluate(_ script: String, isLate: Bool = false) throws -> ProtocolValue? {
        try call(
            "Runtime.evaluate", ["expression": .text(script), "returnByValue": true, "awaitPromise": .boolean(isLate)])[
                "result"]?["value"]
    }

    /// A picture in base 64.
    private func capture(
        width: Int, height: Int, format: String = "png", quality: Int? = nil, scale: Double = 1
    ) throws -> String {
        var parameters: [String: ProtocolValue] = [
            "format": .text(format), "captureBeyondViewport": true,
            "clip": [
                "x": 0, "y": 0, "width": .number(Double(width)), "height": .number(Double(height)),
                "scale": .number(scale),
            ],
        ]
        if let quality { parameters["quality"] = .number(Double(quality)) }
        guard let data = try call("Page.captureScreenshot", .object(parameters))["data"]?.text else {
            throw BrowserError.refused(method: "screenshot", "no picture")
        }
        return data
    }

    private static let namedRoles: Set<String> = [
        "button", "link", "textbox", "searchbox", "combobox", "checkbox", "radio", "slider", "image", "img", "menuitem",
    ]

    /// What of the page that is shown now people cannot use who do not see it.
    private func accessibilityFaults() throws -> AccessibilityFaults {
        var faults = AccessibilityFaults()
        for node in try call("Accessibility.getFullAXTree")["nodes"]?.list ?? [] {
            guard node["ignored"]?.boolean != true, let role = node["role"]?["value"]?.text,
                Self.namedRoles.contains(role),
                (node["name"]?["value"]?.text ?? "").allSatisfy(\.isWhitespace)
            else { continue }
            faults.addNameless(role)
        }
        let structure = try evaluate(PageScripts.structure)
        if structure?["viewport"]?.boolean == false { faults.lacksViewport = true }
        faults.headings = Int(structure?["headings"]?.number ?? 1)
        for id in structure?["twice"]?.list.compactMap(\.text) ?? [] { faults.addTwice(id) }
        return faults
    }

    /// Those of the start page of the version before; `nil` when it has none.
    private func accessibilityFaultsOfStart() throws -> AccessibilityFaults? {
        if let startFaults { return startFaults }
        guard let parent = request.parent, let start = request.start,
            SiteFiles(folder: parent).answer("/" + Self.escaped(start)).status == 200
        else { return nil }
        page = nil
        try show("\(Self.parentHost)/\(Self.escaped(start))", width: BrowserRequest.widths.last ?? 1280)
        let faults = try accessibilityFaults()
        startFaults = faults
        return faults
    }

    /// Notes which of the problems of a page are worse than before.
    private func mark(_ worse: [AccessibilityFaults.Problem], on path: String) {
        for problem in worse {
            guard
                let place = report.problems.firstIndex(where: {
                    $0.page == path && $0.rule == problem.rule && $0.subject == problem.subject
                })
            else { continue }
            report.problems[place].isWorse = true
        }
    }

    // MARK: Files

    private static func escaped(_ path: String) -> String {
        var text = ""
        for byte in path.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x2f, 0x5f, 0x7e:
                text.append(Character(Unicode.Scalar(byte)))
            default:
                let digits = Array("0123456789ABCDEF")
                text += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return text
    }

    private static func write(_ data: Data, to path: String) throws {
        let file = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw BrowserError.refused(method: "screenshot", "cannot write \(path): \(errno)") }
        defer { close(file) }
        let bytes = Array(data)
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + done, $0.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw BrowserError.refused(method: "screenshot", "cannot write \(path): \(errno)") }
            done += count
        }
    }
}
