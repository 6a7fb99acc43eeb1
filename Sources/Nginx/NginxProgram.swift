import Glibc
import Subprocess
import SystemPackage

/// The program itself: where it is, and how it is called.
struct NginxProgram: Sendable {
    let path: String
    /// Makes the kernel end nginx when the agent ends in whatever way; part of every distribution.
    let setpriv: String?

    static func locate(_ given: String?) throws(NginxError) -> NginxProgram {
        let folders = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin", "/usr/local/nginx/sbin", "/sbin"]
        let candidates = given.map { [$0] } ?? folders.map { $0 + "/nginx" }
        guard let path = candidates.first(where: { access($0, X_OK) == 0 }) else {
            throw NginxError.missing(looked: given ?? "nginx in " + folders.joined(separator: ", "))
        }
        return NginxProgram(
            path: path, setpriv: ["/usr/bin/setpriv", "/bin/setpriv"].first { access($0, X_OK) == 0 })
    }

    private static let environment = Environment.custom(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])

    /// Throws what nginx has to say against a file of ours.
    func test(_ directory: String, file: String, listen: [NginxListenAddress]) async throws {
        try await test(
            ["-t", "-q", "-p", directory + "/", "-e", "stderr", "-c", file], directory: directory, listen: listen)
    }

    /// Throws what nginx has to say against the machine's configuration; `nil` is the one that it was built with.
    ///
    /// Listening is the last thing that a test tries, and may be for the machine's nginx alone: that this process may
    /// not is no fault of the configuration.
    func testMachine(_ configuration: String?, listen: [NginxListenAddress]) async throws {
        let arguments = ["-t", "-q"] + (configuration.map { ["-e", "stderr", "-c", $0] } ?? [])
        try await test(arguments, directory: "/", listen: listen) { said in
            let failures = said.split(separator: "\n").filter { $0.contains("[emerg]") }
            return !failures.isEmpty && failures.allSatisfy { $0.contains("bind() to ") && $0.contains("(13:") }
        }
    }

    private func test(
        _ arguments: [String], directory: String, listen: [NginxListenAddress],
        isForgiven: (String) -> Bool = { _ in false }
    ) async throws {
        let result = try await run(
            .path(FilePath(path)), arguments: Arguments(arguments), environment: Self.environment,
            workingDirectory: FilePath(directory), output: .discarded, error: .string(limit: 262_144))
        guard !result.terminationStatus.isSuccess else { return }
        let said = result.standardError
        if isForgiven(said) { return }
        throw Self.refusal(said, listen: listen)
            ?? NginxError(
                .configurationRefused, "nginx refuses its configuration: \(Self.firstLine(said))",
                nextStep: "Run: \(path) \(arguments.joined(separator: " "))")
    }

    /// Runs nginx in `directory` and returns how it ended. `started` is called once it has a process; when that
    /// throws, nginx is ended.
    func launch(in directory: String, started: @escaping @Sendable (pid_t) async throws -> Void) async throws -> String
    {
        let own = ["-p", directory + "/", "-e", "error.log", "-c", NginxDirectory.configurationName]
        let command = setpriv.map { [$0, "--pdeathsig", "QUIT", "--", path] + own } ?? [path] + own
        var options = PlatformOptions()
        options.teardownSequence = [
            .send(signal: .quit, allowedDurationToNextStep: .seconds(4)),
            .send(signal: .terminate, allowedDurationToNextStep: .seconds(2)),
        ]
        let result = try await run(
            .path(FilePath(command[0])), arguments: Arguments(Array(command.dropFirst())),
            environment: Self.environment, workingDirectory: FilePath(directory), platformOptions: options,
            input: .none, output: .discarded, error: .discarded
        ) { execution in
            try await started(execution.processIdentifier.value)
        }
        return "\(result.terminationStatus)"
    }

    /// What nginx said about an address, in our words.
    static func refusal(_ said: String, listen: [NginxListenAddress]) -> NginxError? {
        for line in said.split(separator: "\n") where line.contains("bind() to ") {
            guard let address = listen.first(where: { line.contains("bind() to \($0) failed") }) else { continue }
            if line.contains("(98:") { return .portTaken(address) }
            return .portNotPermitted(address)
        }
        return nil
    }

    private static func firstLine(_ said: String) -> String {
        let lines = said.split(separator: "\n")
        return String((lines.first { $0.contains("[emerg]") } ?? lines.first ?? "no reason given").prefix(400))
    }
}

extension NginxListenAddress {
    /// Tries to listen and lets go again: 0, or the number of the error.
    func bindingError() -> Int32 {
        guard let target = SocketAddress(host: host, port: port) else { return EINVAL }
        let descriptor = socket(target.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        if isIPv6 { setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, socklen_t(MemoryLayout<Int32>.size)) }
        return target.withPointer { bind(descriptor, $0, $1) } == 0 && listen(descriptor, 1) == 0 ? 0 : errno
    }
}
