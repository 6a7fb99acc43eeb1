/// What a script does that a site's scripts should not.
package enum ScriptDanger: String, Sendable, CaseIterable {
    /// `eval(…)`: runs a text as a program.
    case eval
    /// `new Function(…)`: the same by another name.
    case function = "new Function"
    /// `document.write(…)` of something that is loaded from elsewhere.
    case remoteWrite = "document.write"
    /// `setTimeout("…")`: the same as `eval`, later.
    case textTimer = "setTimeout with text"
    /// `import("https://…")`, `importScripts("https://…")`.
    case remoteImport = "import from elsewhere"
}

/// Looks into a script. Knows comments and strings of JavaScript and nothing else of its grammar, and so reads any text.
struct ScriptScan {
    private let source: ByteText
    /// As long as the source, with blanks for comments and for what is between quotation marks.
    private let code: ByteText

    init(_ text: some StringProtocol) {
        source = ByteText(text)
        code = ByteText(bytes: Self.withoutStrings(source.bytes))
    }

    var dangers: [ScriptDanger: Int] {
        var found: [ScriptDanger: Int] = [:]
        func note(_ danger: ScriptDanger) { found[danger, default: 0] += 1 }
        for place in calls(of: "eval") where isGlobal(place) { note(.eval) }
        for place in calls(of: "Function") where isGlobal(place) || word(before: place) == "new" {
            note(.function)
        }
        for name in ["write", "writeln"] {
            for place in calls(of: name) where code[place - 1] == 0x2e && word(before: place - 1) == "document" {
                // What is written may go over a few lines.
                let argument = source.text(place..<place + 600).lowercased()
                if ["<script", "<iframe", "src=", "http:", "https:", "'//", "\"//"].contains(where: {
                    argument.contains($0)
                }) {
                    note(.remoteWrite)
                }
            }
        }
        for name in ["setTimeout", "setInterval"] {
            for place in calls(of: name) {
                if let byte = firstByte(inCallOf: name, at: place), [0x22, 0x27, 0x60].contains(byte) {
                    note(.textTimer)
                }
            }
        }
        for name in ["import", "importScripts"] {
            for place in calls(of: name) where isRemoteText(inCallOf: name, at: place) { note(.remoteImport) }
        }
        return found
    }

    /// The origins that a script names where something is loaded or sent.
    static func origins(loadedBy text: some StringProtocol) -> Set<String> {
        let scan = ScriptScan(text)
        var found: Set<String> = []
        for scheme in ["https://", "http://", "wss://"] {
            for place in scan.source.places(of: scheme) {
                guard let quote = scan.source[place - 1], [0x22, 0x27, 0x60].contains(quote) else { continue }
                let before = scan.code.text(max(0, place - 61)..<place - 1).filter { !$0.isWhitespace }
                let isLoaded = [
                    ".src=", "src:", "fetch(", "import", "from", "import(", "importScripts(", "sendBeacon(",
                    "WebSocket(", "EventSource(", "Worker(", "loadScript(", "getScript(", "'src',", "\"src\",",
                    "axios.get(",
                    "axios.post(", ".action=",
                ].contains { before.hasSuffix($0) }
                let isOpened = before.contains(".open(") && before.hasSuffix(",")
                let end = place + scan.source.length(ofWordAt: place, with: Set("-_.:/@%".utf8))
                if isLoaded || isOpened, let origin = WebHost.origin(of: scan.source.text(place..<end)) {
                    found.insert(origin)
                }
            }
        }
        return found
    }

    /// Where `name` stands as a word with a bracket behind it.
    private func calls(of name: String) -> [Int] {
        code.places(of: name).filter { place in
            if let before = code[place - 1], before.isPartOfName { return false }
            var next = place + name.utf8.count
            while let byte = code[next], byte <= 0x20 { next += 1 }
            return code[next] == 0x28
        }
    }

    /// Whether a word is no member of some object of the site's own.
    private func isGlobal(_ place: Int) -> Bool {
        guard code[place - 1] == 0x2e else { return word(before: place) != "function" }
        return ["window", "globalThis", "self", "top", "parent"].contains(word(before: place - 1))
    }

    /// The word that ends before `place`, blanks between them left out.
    private func word(before place: Int) -> String {
        var end = place
        while let byte = code[end - 1], byte <= 0x20 { end -= 1 }
        var start = end
        while let byte = code[start - 1], byte.isPartOfName { start -= 1 }
        return code.text(start..<end)
    }

    private func firstByte(inCallOf name: String, at place: Int) -> UInt8? {
        guard let offset = firstOffset(inCallOf: name, at: place) else { return nil }
        return source[offset]
    }

    private func firstOffset(inCallOf name: String, at place: Int) -> Int? {
        var next = place + name.utf8.count
        while let byte = source[next], byte != 0x28 { next += 1 }
        next += 1
        while let byte = source[next], byte <= 0x20 { next += 1 }
        return source[next] == nil ? nil : next
    }

    private func isRemoteText(inCallOf name: String, at place: Int) -> Bool {
        guard let offset = firstOffset(inCallOf: name, at: place), let quote = source[offset],
            [0x22, 0x27, 0x60].contains(quote)
        else { return false }
        return WebHost.host(of: source.text(offset + 1..<offset + 200)) != nil
    }

    private static func withoutStrings(_ source: [UInt8]) -> [UInt8] {
        var result = source
        var index = 0
        while index < source.count {
            let byte = source[index]
            let next = index + 1 < source.count ? source[index + 1] : 0
            switch byte {
            case 0x2f where next == 0x2f && (index == 0 || source[index - 1] != 0x3a):
                while index < source.count, source[index] != 0x0a {
                    result[index] = 0x20
                    index += 1
                }
            case 0x2f where next == 0x2a:
                let start = index
                index += 2
                while index < source.count, !(source[index] == 0x2f && source[index - 1] == 0x2a && index > start + 2) {
                    index += 1
                }
                index = min(index + 1, source.count)
                for offset in start..<index where source[offset] != 0x0a { result[offset] = 0x20 }
            case 0x22, 0x27, 0x60:
                index += 1
                // A string ends at the end of its line at the latest, unless it is a template.
                while index < source.count, source[index] != byte, byte == 0x60 || source[index] != 0x0a {
                    if source[index] == 0x5c, index + 1 < source.count {
                        result[index] = 0x20
                        index += 1
                    }
                    result[index] = 0x20
                    index += 1
                }
                index += 1
            default: index += 1
            }
        }
        return result
    }
}

extension UInt8 {
    fileprivate var isPartOfName: Bool { isASCIILetterOrDigit || self == 0x5f || self == 0x24 || self >= 0x80 }
}
