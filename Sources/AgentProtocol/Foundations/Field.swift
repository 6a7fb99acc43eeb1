package import Domain
package import FoundationEssentials

/// Reads single fields of a peer's message. Nothing that a peer sent is believed: whatever is not as it should be
/// throws `invalidArgument` with the name of the field.
package enum Field {
    package static func refuse(
        _ field: String, _ why: String, rule: String = "field-value", cause: (any Error)? = nil
    ) -> ServiceError {
        ServiceError(.invalidArgument, "the field \(field) \(why)", field: field, rule: rule, cause: cause)
    }

    package static func identifier<ID: Identifier>(_ text: String, _ field: String) throws(ServiceError) -> ID {
        guard let value = ID(text) else { throw refuse(field, "is not an identifier of kind \(ID.prefix)") }
        return value
    }

    package static func digest(_ bytes: Data, _ field: String) throws(ServiceError) -> ContentDigest {
        guard let digest = ContentDigest(bytes: bytes) else { throw refuse(field, "is not 32 bytes") }
        return digest
    }

    /// At most `limit` digests.
    package static func digests(_ list: [Data], _ field: String, atMost limit: Int) throws(ServiceError)
        -> [ContentDigest]
    {
        try count(list, field, atMost: limit)
        var digests: [ContentDigest] = []
        digests.reserveCapacity(list.count)
        for bytes in list { digests.append(try digest(bytes, field)) }
        return digests
    }

    package static func bytes(_ bytes: Data, _ field: String, count: Int) throws(ServiceError) -> [UInt8] {
        guard bytes.count == count else { throw refuse(field, "is not \(count) bytes") }
        return Array(bytes)
    }

    package static func path(_ text: String, _ field: String) throws(ServiceError) -> SitePath {
        do {
            return try SitePath(text)
        } catch {
            throw refuse(field, "is refused: \(error.message)", rule: error.rule ?? "field-value", cause: error)
        }
    }

    /// Only in the form that the value itself writes.
    package static func domainName(_ text: String, _ field: String) throws(ServiceError) -> DomainName {
        guard let name = try? DomainName(text), name.text == text else { throw refuse(field, "is not a domain name") }
        return name
    }

    package static func choice<Choice: RawRepresentable<String>>(
        _ text: String, _ field: String, of: Choice.Type = Choice.self
    ) throws(ServiceError) -> Choice {
        guard let value = Choice(rawValue: text) else {
            throw refuse(field, "has the unknown value \"\(text.prefix(64))\"", rule: "field-known")
        }
        return value
    }

    package static func integer(
        _ value: Int64, _ field: String, in range: ClosedRange<Int64> = 0 ... .max
    ) throws(ServiceError) -> Int {
        guard range.contains(value) else { throw refuse(field, "is out of its range", rule: "field-range") }
        return Int(value)
    }

    /// A duration in milliseconds, up to 31 days.
    package static func duration(
        _ milliseconds: Int64, _ field: String, atLeast lowest: Int64 = 1
    ) throws(ServiceError) -> Duration {
        .milliseconds(try integer(milliseconds, field, in: lowest...31 * 86_400_000))
    }

    package static func text(_ text: String, _ field: String, atMost limit: Int) throws(ServiceError) -> String {
        guard text.utf8.count <= limit else {
            throw refuse(field, "has more than \(limit) bytes", rule: "field-length")
        }
        return text
    }

    package static func data(_ bytes: Data, _ field: String, atMost limit: Int) throws(ServiceError) -> Data {
        guard bytes.count <= limit else { throw refuse(field, "has more than \(limit) bytes", rule: "field-length") }
        return bytes
    }

    package static func count(_ list: some Collection, _ field: String, atMost limit: Int) throws(ServiceError) {
        guard list.count <= limit else {
            throw refuse(field, "has more than \(limit) elements", rule: "field-length")
        }
    }

    /// A message that must be there.
    package static func present<Message>(_ isThere: Bool, _ message: Message, _ field: String) throws(ServiceError)
        -> Message
    {
        guard isThere else { throw refuse(field, "is missing", rule: "field-missing") }
        return message
    }
}

/// How long the texts of a message may be, in bytes. A sender shortens what people read to fit.
package enum TextLimit {
    package static let version = 128
    package static let name = 256
    package static let step = 512
    package static let reason = 8192
    package static let summary = 16_384
    package static let address = 512
    package static let credential = 2048
    package static let log = 1 << 20
    package static let prompt = 4 * Prompt.maximumLength
    package static let maintenance = 65_536
}

extension String {
    /// The text, cut between two characters so that it has at most `limit` bytes.
    func clipped(to limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var clipped = ""
        var size = 0
        for character in self {
            size += character.utf8.count
            if size > limit - 3 { break }
            clipped.append(character)
        }
        return clipped + "…"
    }
}
