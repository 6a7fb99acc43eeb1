import ArgumentParser
import Foundation

struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Log in, or register with --register; the session is saved.",
        discussion: """
            The first user who registers becomes the administrator. The session goes into
            ~/.config/pagewright/credentials.json (or the folder in PAGEWRIGHT_CONFIG), readable by you alone.

            Example: pagewright login --email ada@example.org
            Example: printf '%s\\n' "$SECRET" | pagewright login --register --email ada@example.org --password-stdin
            """)

    @OptionGroup var connection: ConnectionOptions
    @Option(help: "Your e-mail address.") var email: String?
    @Flag(help: "Make a new account.") var register = false
    @Option(help: "Your name, for --register; default: the part of the address before the @.") var name: String?
    @Flag(help: "Read the password from standard input (else PAGEWRIGHT_PASSWORD, else a prompt).")
    var passwordStdin = false

    func run() async throws {
        let email = try self.email ?? PasswordPrompt.ask("E-mail: ", option: "--email")
        let password = try PasswordPrompt.password(
            fromStandardInput: passwordStdin, environment: ProcessInfo.processInfo.environment)
        try await connection.withClient(as: TokenSource.none) { client in
            var fields = ["email": email, "password": password]
            if register { fields["name"] = name ?? String(email.prefix { $0 != "@" }) }
            let answer = try await client.send(
                .post, register ? "/auth/register" : "/auth/login", body: .json(fields))
            let session = try answer.decode(SessionBody.self)
            let saved = try session.credentials
            try await connection.store.update { credentials in
                credentials.servers[client.server.text] = saved
                credentials.current = client.server.text
            }
            guard !connection.json else { return Console.print(json: answer.body) }
            Console.print("Logged in at \(client.server) as \(session.user.email) (\(session.user.role)).")
            if !client.server.isEncrypted, !["127.0.0.1", "localhost"].contains(where: client.server.text.contains) {
                Console.printError("warning: \(client.server) is not encrypted; others can read your password.")
            }
        }
    }
}

struct LogoutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "End the saved session, here and at the coordinator.",
        discussion: "Example: pagewright logout")

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await connection.withClient(as: TokenSource.none) { client in
            let session = try await connection.store.update { credentials in
                credentials.servers.removeValue(forKey: client.server.text)
            }
            guard let session else {
                throw CLIError(.notLoggedIn, "you are not logged in at \(client.server)")
            }
            // The session is gone here whatever the coordinator says; it ends by itself there within seven days.
            var remote = "ended"
            do {
                _ = try await client.send(
                    .post, "/auth/logout", body: .json(["refresh_token": session.refreshToken]))
            } catch let error as CLIError {
                remote = "unknown"
                Console.printError("warning: the coordinator could not be told: \(error.sentence)")
            }
            guard !connection.json else {
                return Console.print(object: ["server": client.server.text, "session": remote])
            }
            Console.print("Logged out at \(client.server).")
        }
    }
}

struct WhoamiCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "whoami", abstract: "Show who you are, and where.", discussion: "Example: pagewright whoami --json"
    )

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.get, "/me")
            guard !connection.json else { return Console.print(json: answer.body) }
            let user = try answer.decode(UserBody.self)
            Console.print("\(user.name) <\(user.email)>, \(user.role), at \(client.server)")
        }
    }
}
