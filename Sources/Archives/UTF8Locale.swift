import Glibc

/// Text as UTF-8, for C libraries that ask the locale; for one thread and one call, whatever the process has.
final class UTF8Locale {
    private let locale = newlocale(1 << LC_CTYPE, "C.UTF-8", nil)

    deinit {
        if let locale { freelocale(locale) }
    }

    func use<Value>(_ body: () throws -> Value) rethrows -> Value {
        guard let locale else { return try body() }
        let before = uselocale(locale)
        defer { uselocale(before) }
        return try body()
    }
}
