import Glibc
package import Logging

/// Writes the log to standard error, a line an event; each line is one call, so lines of several threads do not mix.
package struct StandardErrorLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: LogFormat
    private let write: @Sendable (String) -> Void

    package init(label: String, level: Logger.Level, format: LogFormat) {
        self.init(label: label, level: level, format: format, write: Self.writeToStandardError)
    }

    /// For tests, which read what is written.
    init(label: String, level: Logger.Level, format: LogFormat, write: @escaping @Sendable (String) -> Void) {
        self.label = label
        logLevel = level
        self.format = format
        self.write = write
    }

    /// Makes every `Logger` of this program write here. Call it once, before the first log line. With `ring` the last
    /// lines are kept in memory as well.
    package static func bootstrap(level: Logger.Level, format: LogFormat, ring: LogRing? = nil) {
        LoggingSystem.bootstrap { label in
            guard let ring else { return StandardErrorLogHandler(label: label, level: level, format: format) }
            return StandardErrorLogHandler(label: label, level: level, format: format) { line in
                ring.append(line.hasSuffix("\n") ? String(line.dropLast()) : line)
                writeToStandardError(line)
            }
        }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        if let error = event.error { all["error"] = "\(error)" }
        var fields = [
            (key: "time", value: Self.now()), (key: "level", value: event.level.rawValue),
            (key: "logger", value: label),
            (key: "message", value: "\(event.message)"),
        ]
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { fields.append((key: key, value: "\(value)")) }
        write(format.line(fields))
    }

    private static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var parts = tm()
        gmtime_r(&time.tv_sec, &parts)
        func padded(_ value: some BinaryInteger, _ width: Int) -> String {
            let digits = "\(value)"
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        let date = "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))"
        let clock = "\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))"
        return "\(date)T\(clock).\(padded(time.tv_nsec / 1_000_000, 3))Z"
    }

    private static func writeToStandardError(_ line: String) {
        var bytes = ArraySlice(Array(line.utf8))
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
