/// What an address leads to. Only ``open`` ones are part of the Internet that everybody shares.
package enum AddressKind: Sendable, Equatable {
    case open
    /// Loopback and the ranges of private networks: a machine of one's own, when the operator says so.
    case local
    /// Never a model: link-local (where clouds keep their metadata), multicast, documentation, tunnels, and the rest.
    case forbidden

    /// - Parameter bytes: 4 of IPv4 or 16 of IPv6, as they travel.
    package init(_ bytes: [UInt8]) {
        switch bytes.count {
        case 4: self = Self.ofVersion4(bytes)
        case 16: self = Self.ofVersion6(bytes)
        default: self = .forbidden
        }
    }

    private static func ofVersion4(_ bytes: [UInt8]) -> AddressKind {
        let (first, second, third) = (bytes[0], bytes[1], bytes[2])
        switch first {
        case 127, 10: return .local
        case 172 where second & 0xf0 == 16: return .local
        case 192 where second == 168: return .local
        case 0, 224...255: return .forbidden  // this network, multicast, reserved, broadcast
        case 100 where second & 0xc0 == 64: return .forbidden  // behind a provider's NAT
        case 169 where second == 254: return .forbidden  // link-local
        case 192 where second == 0 && third == 0: return .forbidden  // protocol assignments
        case 192 where second == 0 && third == 2: return .forbidden  // documentation
        case 192 where second == 88 && third == 99: return .forbidden  // 6to4 relays
        case 198 where second & 0xfe == 18: return .forbidden  // benchmarks
        case 198 where second == 51 && third == 100: return .forbidden  // documentation
        case 203 where second == 0 && third == 113: return .forbidden  // documentation
        default: return .open
        }
    }

    private static func ofVersion6(_ bytes: [UInt8]) -> AddressKind {
        let zeros = bytes.prefix { $0 == 0 }.count
        if zeros == 15 && bytes[15] == 1 { return .local }
        // IPv4 in another coat is what it is without it.
        if zeros == 10 && bytes[10] == 0xff && bytes[11] == 0xff { return ofVersion4(Array(bytes[12...])) }
        if Array(bytes[..<12]) == [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0] {
            let inner = ofVersion4(Array(bytes[12...]))
            return inner == .open ? .open : .forbidden
        }
        if bytes[0] & 0xfe == 0xfc { return .local }
        guard bytes[0] & 0xe0 == 0x20 else { return .forbidden }  // link-local, multicast, unspecified, unassigned
        switch (bytes[0], bytes[1], bytes[2], bytes[3]) {
        case (0x20, 0x01, 0x00...0x01, _): return .forbidden  // Teredo, ORCHID, benchmarks
        case (0x20, 0x01, 0x0d, 0xb8): return .forbidden  // documentation
        case (0x20, 0x02, _, _): return .forbidden  // 6to4
        case (0x3f, 0xff, 0x00...0x0f, _): return .forbidden  // documentation
        default: return .open
        }
    }
}
