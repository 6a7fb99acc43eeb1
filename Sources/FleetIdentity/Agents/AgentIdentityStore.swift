package import Domain
import FoundationEssentials
import Glibc
import SwiftASN1

/// The folder in which an agent keeps its ``AgentIdentity``.
///
/// Each identity is a folder of its own (`000001`, `000002` …) that is written completely, flushed, and only then named
/// by the link `current`, which one rename replaces. So there is no instant at which a crash loses both the old
/// certificate and the new one. The one before stays until the next renewal.
///
/// These calls block; a program that serves makes them on a `BlockingPool`.
package struct AgentIdentityStore: Sendable {
    private static let keyName = "agent.key"
    private static let certificateName = "certificate.pem"
    private static let rootsName = "roots.pem"
    private static let membershipName = "membership.json"
    private static let currentName = "current"
    private let folder: DurableFolder

    package init(directory: String) {
        folder = DurableFolder(path: directory)
    }

    package var exists: Bool { (try? currentNumber()) ?? nil != nil }

    /// Makes sure that an identity can be saved here, before a token is spent on one.
    package func prepare() throws(ServiceError) {
        try folder.create()
        try folder.write([], to: "writable")
        try folder.remove("writable")
    }

    /// The identity in use. When that cannot be read, the newest one that can.
    package func load() throws(ServiceError) -> AgentIdentity {
        guard let current = try currentNumber() else {
            throw ServiceError(
                .failedPrecondition, "this host has not joined a fleet: there is no identity in \(folder.path)",
                nextStep: "Ask for a token with: pagewright host invite. Then run: pagewright-agent join.")
        }
        do {
            return try read(current)
        } catch {
            for number in try numbers().reversed() where number != current {
                if let identity = try? read(number) { return identity }
            }
            throw error
        }
    }

    /// Makes `identity` the one in use. When this throws, the one before is still in use.
    package func save(_ identity: AgentIdentity) throws(ServiceError) {
        try folder.create()
        let all = try numbers()
        let next = (all.last ?? 0) + 1
        let place = DurableFolder(path: folder.location(of: Self.name(of: next)))
        try place.create()
        try place.write(Array(identity.key.pem.utf8), to: Self.keyName)
        try place.write(Self.pem(identity.certificateChain), to: Self.certificateName, mode: 0o644)
        try place.write(Self.pem(identity.trustRoots), to: Self.rootsName, mode: 0o644)
        try place.write(try Membership(identity).encoded(), to: Self.membershipName, mode: 0o644)
        try folder.flush()
        let current = try currentNumber()
        try makeCurrent(next)
        for number in all where number != current { delete(number) }
    }

    private func makeCurrent(_ number: Int) throws(ServiceError) {
        let pending = folder.location(of: ".pending")
        unlink(pending)
        guard symlink(Self.name(of: number), pending) == 0 else { throw folder.failure("link", pending) }
        guard rename(pending, folder.location(of: Self.currentName)) == 0 else { throw folder.failure("name", pending) }
        try folder.flush()
    }

    private func currentNumber() throws(ServiceError) -> Int? {
        var buffer = [UInt8](repeating: 0, count: 64)
        let location = folder.location(of: Self.currentName)
        let count = buffer.withUnsafeMutableBytes { raw in
            readlink(location, raw.baseAddress!.assumingMemoryBound(to: CChar.self), raw.count)
        }
        guard count >= 0 else {
            if errno == ENOENT { return nil }
            throw folder.failure("read the link", location)
        }
        return Int(String(decoding: buffer[..<count], as: UTF8.self))
    }

    /// Sorted.
    private func numbers() throws(ServiceError) -> [Int] {
        try folder.names().compactMap { $0.utf8.count == 6 ? Int($0) : nil }.sorted()
    }

    private static func name(of number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    private func delete(_ number: Int) {
        let place = folder.location(of: Self.name(of: number))
        for name in [Self.keyName, Self.certificateName, Self.rootsName, Self.membershipName] {
            unlink(place + "/" + name)
        }
        rmdir(place)
    }

    private func read(_ number: Int) throws(ServiceError) -> AgentIdentity {
        let place = DurableFolder(path: folder.location(of: Self.name(of: number)))
        func content(_ name: String) throws(ServiceError) -> [UInt8] {
            guard let content = try place.read(name) else {
                throw ServiceError(.failedPrecondition, "the agent's identity in \(place.path) lacks \(name)")
            }
            return content
        }
        do {
            let membership = try Membership(encoded: try content(Self.membershipName))
            return try AgentIdentity(
                key: AgentKey(pem: String(decoding: try content(Self.keyName), as: UTF8.self)),
                certificateChain: try Self.certificates(in: try content(Self.certificateName)),
                trustRoots: try Self.certificates(in: try content(Self.rootsName)),
                coordinator: membership.coordinator, hostName: membership.hostName, roles: membership.hostRoles(),
                trustDomain: TrustDomain(membership.trustDomain))
        } catch {
            throw ServiceError(
                .failedPrecondition, "the agent's identity in \(place.path) cannot be read",
                nextStep: "Join the fleet again: pagewright host invite, then pagewright-agent join.", cause: error)
        }
    }

    private static func pem(_ certificates: [[UInt8]]) -> [UInt8] {
        Array(
            certificates.map { PEMDocument(type: "CERTIFICATE", derBytes: $0).pemString + "\n" }.joined().utf8)
    }

    private static func certificates(in pem: [UInt8]) throws -> [[UInt8]] {
        try PEMDocument.parseMultiple(pemString: String(decoding: pem, as: UTF8.self)).map(\.derBytes)
    }

    /// What is not in the certificates.
    private struct Membership: Codable {
        var coordinator: String
        var hostName: String
        var roles: [String]
        var trustDomain: String

        init(_ identity: AgentIdentity) {
            coordinator = identity.coordinator
            hostName = identity.hostName
            roles = identity.roles.map(\.rawValue).sorted()
            trustDomain = identity.trustDomain.text
        }

        init(encoded: [UInt8]) throws {
            self = try JSONDecoder().decode(Membership.self, from: Data(encoded))
        }

        func encoded() throws(ServiceError) -> [UInt8] {
            do {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
                return Array(try encoder.encode(self)) + [0x0a]
            } catch {
                throw ServiceError(.internalError, "cannot encode the agent's membership", cause: error)
            }
        }

        func hostRoles() throws -> Set<HostRole> {
            Set(
                try roles.map { text in
                    guard let role = HostRole(rawValue: text) else {
                        throw ServiceError(.invalidArgument, "there is no role \"\(text.prefix(64))\"", field: "roles")
                    }
                    return role
                })
        }
    }
}
