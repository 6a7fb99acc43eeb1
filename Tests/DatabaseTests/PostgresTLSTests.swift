import Database
import DatabasePostgres
import Foundation
import TestSupport
import Testing

/// A server that proves who it is by a certificate, and others that do not.
@Suite struct PostgresTLSTests {
    /// An authority and a certificate for `localhost`, made by openssl.
    private struct Authority {
        let root: String
        let certificate: String
        let key: String

        init(in folder: String) throws {
            try Self.openssl(
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem",
                ], folder)
            try Self.openssl(
                [
                    "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", "server.key", "-out", "server.csr",
                ], folder)
            try Self.openssl(
                [
                    "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                    "-days",
                    "2", "-copy_extensions", "copy", "-out", "server.pem",
                ], folder)
            root = folder + "/ca.pem"
            certificate = try String(contentsOfFile: folder + "/server.pem", encoding: .utf8)
            key = try String(contentsOfFile: folder + "/server.key", encoding: .utf8)
        }

        private static func openssl(_ arguments: [String], _ folder: String) throws {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/openssl")
            process.arguments = arguments
            process.currentDirectoryURL = URL(filePath: folder)
            process.standardError = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0, "openssl \(arguments)")
        }
    }

    private static func verify(_ address: String) async -> SQLError? {
        do {
            let database = try PostgresDatabase(
                PostgresSettings(address: try PostgresAddress(address)), logger: quiet)
            let row = try await database.read {
                try await $0.query("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")[0]
            }
            #expect(try row.boolean("ssl"))
            #expect(try row.text("version") == "TLSv1.3")
            return nil
        } catch {
            return error as? SQLError ?? SQLError(.other, "\(error)")
        }
    }

    @Test("A server is believed when its certificate is of the right authority and for the right name, and only then")
    func certificates() async throws {
        try await withTemporaryDirectory { folder in
            let authority = try Authority(in: folder)
            try FileManager.default.createDirectory(atPath: folder + "/other", withIntermediateDirectories: true)
            let other = try Authority(in: folder + "/other")
            let port = try freePorts(1)[0]
            let server = try PostgresServer(
                settings: [
                    "ssl": "on", "ssl_cert_file": "server.pem", "ssl_key_file": "server.key",
                    "listen_addresses": "127.0.0.1", "port": "\(port)",
                ], files: ["server.pem": authority.certificate, "server.key": authority.key],
                authentication: "hostssl all all 127.0.0.1/32 trust\nlocal all all trust\n")
            func address(_ host: String, _ root: String, _ mode: String = "verify-full") -> String {
                "postgres://app@\(host):\(port)/postgres?sslmode=\(mode)&sslrootcert=\(root)"
            }
            #expect(await Self.verify(address("localhost", authority.root)) == nil)
            let wrongAuthority = await Self.verify(address("localhost", other.root))
            #expect(wrongAuthority?.kind == .accessDenied)
            #expect(wrongAuthority?.message.contains("certificate") == true)
            let wrongName = await Self.verify(address("127.0.0.1", authority.root))
            #expect(wrongName?.kind == .accessDenied)
            #expect(wrongName?.message.contains("localhost") == true)
            // The name is not looked at when that is asked for.
            #expect(await Self.verify(address("127.0.0.1", authority.root, "verify-ca")) == nil)
            // Without TLS the server's rules let nobody in.
            #expect(await Self.verify(address("127.0.0.1", authority.root, "disable"))?.kind == .accessDenied)
            _ = server
        }
    }

    @Test("A server without TLS is refused when TLS is asked for")
    func plain() async throws {
        let port = try freePorts(1)[0]
        let server = try PostgresServer(settings: ["listen_addresses": "127.0.0.1", "port": "\(port)"])
        let error = await Self.verify("postgres://app@127.0.0.1:\(port)/postgres?sslmode=require")
        #expect(error?.kind == .accessDenied)
        #expect(error?.message.contains("SSL") == true)
        _ = server
    }

    @Test("What leaves the machine is verified unless the address says otherwise")
    func strictByDefault() async throws {
        let settings = PostgresSettings(address: try PostgresAddress("postgres://app@db.example.org/x"))
        #expect(settings.tlsMode == "verify-full")
        #expect(PostgresSettings(address: try PostgresAddress("postgres://app@/x?host=/run/x")).tlsMode == "prefer")
    }
}
