package import Domain

/// A bucket, a place in it, and how its server is reached. Holds no secret, so that it may be shown and logged.
package struct S3Location: Sendable, Equatable, CustomStringConvertible {
    /// Where the name of the bucket goes in an address.
    package enum Addressing: String, Sendable, CaseIterable {
        /// `https://server/bucket/key`: what self-hosted servers understand.
        case path
        /// `https://bucket.server/key`: what Amazon wants.
        case host
    }

    package let bucket: String
    /// Before every key: empty, or with a `/` at its end.
    package let prefix: String
    package let region: String
    package let isSecure: Bool
    /// Without the bucket; an IPv6 address without brackets.
    package let server: String
    /// `nil` for the usual one.
    package let port: Int?
    package let addressing: Addressing
    /// A file of certificates (PEM) of authorities that are trusted besides the system's.
    package let authorityFile: String?

    /// Reads `s3://bucket/prefix?endpoint=https://server:port&region=…&style=path|host&ca=FILE`. All but the bucket may
    /// be left out: the region is `us-east-1`, the endpoint is Amazon's of the region, and the style is `host` with Amazon
    /// and `path` with everybody else.
    package init(_ text: String) throws(ServiceError) {
        guard text.hasPrefix("s3://") else { throw Self.refuse("does not begin with s3://") }
        let halves = text.dropFirst(5).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = halves[0].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        var settings: [String: String] = [:]
        if halves.count == 2 {
            for pair in halves[1].split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, let value = Self.decoded(parts[1]),
                    ["endpoint", "region", "style", "ca"].contains(String(parts[0]))
                else {
                    throw Self.refuse("has \"\(pair.prefix(40))\", which is none of endpoint, region, style and ca")
                }
                settings[String(parts[0])] = value
            }
        }
        bucket = String(path[0])
        guard (3...63).contains(bucket.utf8.count), bucket.utf8.allSatisfy(Self.isBucketCharacter) else {
            throw Self.refuse("needs a bucket of 3 to 63 small letters, digits, points and hyphens")
        }
        let folders = path.count == 2 ? path[1].split(separator: "/") : []
        guard folders.allSatisfy({ $0.utf8.allSatisfy(Self.isPrefixCharacter) && $0 != "." && $0 != ".." }) else {
            throw Self.refuse("has a prefix with more than letters, digits and -._~ in it")
        }
        prefix = folders.map { $0 + "/" }.joined()
        region = settings["region"] ?? "us-east-1"
        guard !region.isEmpty, region.utf8.allSatisfy(Self.isPrefixCharacter) else {
            throw Self.refuse("has a region that is no word")
        }
        let endpoint = settings["endpoint"] ?? "https://s3.\(region).amazonaws.com"
        (isSecure, server, port) = try Self.endpoint(endpoint)
        if let style = settings["style"] {
            guard let known = Addressing(rawValue: style) else {
                throw Self.refuse("has a style that is not path or host")
            }
            addressing = known
        } else {
            addressing = server.hasSuffix(".amazonaws.com") && !bucket.utf8.contains(UInt8(ascii: ".")) ? .host : .path
        }
        authorityFile = settings["ca"]
    }

    /// As it could be given again; for people.
    package var description: String {
        "s3://\(bucket)/\(prefix.dropLast())?endpoint=\(origin)&region=\(region)&style=\(addressing.rawValue)"
    }

    /// The host of all requests, as it stands in the header `Host`.
    var authority: String {
        let name = server.utf8.contains(UInt8(ascii: ":")) ? "[\(server)]" : server
        return (addressing == .host ? "\(bucket)." : "") + name + (port.map { ":\($0)" } ?? "")
    }

    /// The encoded path of a key, or of the bucket itself.
    func path(of key: String?) -> String {
        let encoded = S3Encoding.encoded(key ?? "", keepingSlashes: true)
        return addressing == .path ? "/\(bucket)" + (key == nil ? "" : "/" + encoded) : "/" + encoded
    }

    var scheme: String { isSecure ? "https" : "http" }

    private var origin: String {
        let name = server.utf8.contains(UInt8(ascii: ":")) ? "[\(server)]" : server
        return "\(scheme)://\(name)" + (port.map { ":\($0)" } ?? "")
    }

    private static func endpoint(_ text: String) throws(ServiceError) -> (Bool, String, Int?) {
        let isSecure = text.hasPrefix("https://")
        guard isSecure || text.hasPrefix("http://") else {
            throw refuse("has an endpoint that begins with neither https:// nor http://")
        }
        var rest = text.dropFirst(isSecure ? 8 : 7)
        if rest.last == "/" { rest = rest.dropLast() }
        var port: Int?
        if let colon = rest.lastIndex(of: ":"), rest[colon...].dropFirst().allSatisfy(\.isNumber) {
            guard let number = Int(rest[colon...].dropFirst()), (1...65_535).contains(number) else {
                throw refuse("has an endpoint with a port that is none")
            }
            port = number == (isSecure ? 443 : 80) ? nil : number
            rest = rest[..<colon]
        }
        if rest.first == "[", rest.last == "]" { rest = rest.dropFirst().dropLast() }
        guard !rest.isEmpty, rest.utf8.allSatisfy({ isPrefixCharacter($0) || $0 == UInt8(ascii: ":") }) else {
            throw refuse("has an endpoint that is not just a server and a port")
        }
        return (isSecure, String(rest), port)
    }

    private static func isBucketCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "."):
            true
        default: false
        }
    }

    private static func isPrefixCharacter(_ byte: UInt8) -> Bool { S3Encoding.isUnreserved(byte) }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func refuse(_ why: String) -> ServiceError {
        ServiceError(
            .invalidArgument, "the address of the blobs \(why)", field: "blobs", rule: "s3-address",
            nextStep: "Write it like s3://bucket/prefix?endpoint=https://s3.example.org&region=us-east-1.")
    }
}
