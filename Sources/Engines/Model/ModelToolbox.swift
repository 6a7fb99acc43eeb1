import Domain

/// Carries out what a model calls, on the files of one site. Nothing is written to the disk before ``commit()``, no
/// symbolic link is followed, and nothing outside of the folder can be named.
struct ModelToolbox: ~Copyable {
    private static let listLimit = 2000
    /// Of one answer, in characters.
    private static let readLimit = 100_000
    private static let hitLimit = 80
    private static let searchedFileLimit = 1 << 20
    private static let fileLimit = 2 << 20
    /// Of all that is written in one edit, in bytes.
    private static let writeLimit = 64 << 20

    private var files: BuiltinWorkspace
    private var written = 0

    init(folder: String) throws { files = try BuiltinWorkspace(at: folder) }

    var changedPaths: [String] { files.changedPaths }

    mutating func commit() throws { try files.commit() }

    /// What was done, in a few words, for the progress of the job.
    static func step(of call: ModelReply.Call) -> String {
        let path = JSONNode(parsing: call.arguments)?["path"]?.string?.shown(limit: 100) ?? ""
        return switch call.name {
        case "list": "Looked at the files"
        case "read": "Read \(path)"
        case "search": "Searched the site"
        case "write": "Wrote \(path)"
        case "replace": "Changed \(path)"
        case "delete": "Deleted \(path)"
        default: "Worked"
        }
    }

    mutating func run(_ call: ModelReply.Call) -> ModelToolResult {
        guard let arguments = JSONNode(parsing: call.arguments), case .object = arguments else {
            return .error("the arguments are not a JSON object")
        }
        do {
            switch call.name {
            case "list": return list(arguments)
            case "read": return try read(arguments)
            case "search": return try search(arguments)
            case "write": return try write(arguments)
            case "replace": return try replace(arguments)
            case "delete": return try delete(arguments)
            default:
                return .error(
                    "there is no tool \(call.name.shown(limit: 60).quoted); there are: "
                        + ModelTool.all.map(\.name).joined(separator: ", "))
            }
        } catch let error as ServiceError {
            return .error(error.message)
        } catch {
            return .error("\(error)")
        }
    }

    // MARK: Tools

    private func list(_ arguments: JSONNode) -> ModelToolResult {
        let paths = paths(below: arguments["folder"]?.string)
        guard !paths.isEmpty else { return .done("There are no files there.") }
        let shown = paths.prefix(Self.listLimit).joined(separator: "\n")
        let rest = paths.count - Self.listLimit
        return .done(rest > 0 ? shown + "\n… and \(rest) more; list one folder at a time." : shown)
    }

    private mutating func read(_ arguments: JSONNode) throws -> ModelToolResult {
        let path = try existing(arguments)
        let lines = try text(of: path).split(separator: "\n", omittingEmptySubsequences: false)
        let first = max(1, arguments["first_line"]?.integer ?? 1)
        guard first <= lines.count else { return .error("\(path.quoted) has only \(lines.count) lines") }
        let wanted = lines[(first - 1)...].prefix(max(1, min(arguments["lines"]?.integer ?? .max, lines.count)))
        var answer = ""
        var count = 0
        for line in wanted {
            if answer.utf8.count + line.utf8.count > Self.readLimit {
                if count == 0 { answer = String(line.prefix(Self.readLimit)) }
                return .done(
                    answer + "\n… cut here; go on with first_line \(first + max(1, count)) of \(lines.count).")
            }
            if count > 0 { answer += "\n" }
            answer += line
            count += 1
        }
        return .done(answer)
    }

    private mutating func search(_ arguments: JSONNode) throws -> ModelToolResult {
        guard let wanted = arguments["text"]?.string, !wanted.isEmpty else { return .error("text is missing") }
        let needle = wanted.lowercased()
        var hits: [String] = []
        for path in paths(below: arguments["folder"]?.string) {
            guard let text = try? text(of: path), text.utf8.count <= Self.searchedFileLimit else { continue }
            for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            where line.lowercased().contains(needle) {
                hits.append("\(path):\(number + 1): \(String(line).shown(limit: 200))")
                guard hits.count < Self.hitLimit else {
                    return .done(hits.joined(separator: "\n") + "\n… and more.")
                }
            }
        }
        return .done(hits.isEmpty ? "It is nowhere." : hits.joined(separator: "\n"))
    }

    private mutating func write(_ arguments: JSONNode) throws -> ModelToolResult {
        let path = try checked(arguments)
        guard let content = arguments["content"]?.string else { return .error("content is missing") }
        guard files.has(path) || !files.hasAlmost(path) else {
            return .error("there is a file or a folder whose name is almost \(path.quoted)")
        }
        try store(content, at: path)
        return .done("\(path) has \(content.utf8.count) bytes now.")
    }

    private mutating func replace(_ arguments: JSONNode) throws -> ModelToolResult {
        let path = try existing(arguments)
        guard let old = arguments["old"]?.string, !old.isEmpty, let new = arguments["new"]?.string else {
            return .error("old and new are needed, and old is not empty")
        }
        let text = try text(of: path)
        let pieces = text.pieces(around: old)
        guard pieces.count > 1 else {
            return .error("the old text is not in \(path.quoted); read the file and copy the text exactly")
        }
        guard pieces.count == 2 || arguments["all"]?.boolean == true else {
            return .error(
                "the old text is \(pieces.count - 1) times in \(path.quoted); give more of what is around it, or set all"
            )
        }
        // Before it is built: it may be far more than fits anywhere.
        guard text.utf8.count + (pieces.count - 1) * new.utf8.count <= 2 * Self.fileLimit else {
            return .error("that is more than can be written")
        }
        try store(pieces.joined(separator: new), at: path)
        return .done("Replaced \(pieces.count - 1) in \(path).")
    }

    private mutating func delete(_ arguments: JSONNode) throws -> ModelToolResult {
        let path = try existing(arguments)
        files.remove(path)
        return .done("\(path) is deleted.")
    }

    // MARK: Files

    private func paths(below folder: String?) -> [String] {
        guard var folder, !folder.isEmpty, folder != ".", folder != "/" else { return files.paths }
        if !folder.hasSuffix("/") { folder += "/" }
        return files.paths.filter { $0.hasPrefix(folder) }
    }

    private func checked(_ arguments: JSONNode) throws -> String {
        guard let path = arguments["path"]?.string else {
            throw ServiceError(.invalidArgument, "path is missing", field: "path")
        }
        return try SitePath(path).text
    }

    private func existing(_ arguments: JSONNode) throws -> String {
        let path = try checked(arguments)
        guard files.has(path) else {
            throw ServiceError(.notFound, "there is no file \(path.quoted); list shows what there is", field: "path")
        }
        return path
    }

    private mutating func text(of path: String) throws -> String {
        let bytes = try files.read(path)
        guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
            throw ServiceError(.failedPrecondition, "\(path.quoted) is not a text file", field: "path")
        }
        return text
    }

    private mutating func store(_ text: String, at path: String) throws {
        let bytes = Array(text.utf8)
        written += bytes.count
        guard bytes.count <= Self.fileLimit, written <= Self.writeLimit else {
            throw ServiceError(.payloadTooLarge, "that is more than can be written", field: "content")
        }
        try files.write(bytes, to: path)
    }
}

extension String {
    /// What is between the occurrences of `separator`, byte for byte; one piece when there is none.
    fileprivate func pieces(around separator: String) -> [String] {
        let bytes = Array(utf8)
        let wanted = Array(separator.utf8)
        var pieces: [String] = []
        var start = 0
        var position = 0
        while position + wanted.count <= bytes.count {
            if bytes[position] == wanted[0], bytes[position..<position + wanted.count].elementsEqual(wanted) {
                pieces.append(String(decoding: bytes[start..<position], as: UTF8.self))
                position += wanted.count
                start = position
            } else {
                position += 1
            }
        }
        return pieces + [String(decoding: bytes[start...], as: UTF8.self)]
    }
}
