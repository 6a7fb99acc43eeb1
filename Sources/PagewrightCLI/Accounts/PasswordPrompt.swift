import Foundation

/// Where a password or an answer comes from: flags and environment first, a prompt only at a terminal.
enum PasswordPrompt {
    static func password(fromStandardInput: Bool, environment: [String: String]) throws -> String {
        if fromStandardInput {
            guard let line = readLine(strippingNewline: true), !line.isEmpty else {
                throw CLIError(.usage, "there is no password on standard input")
            }
            return line
        }
        if let password = environment["PAGEWRIGHT_PASSWORD"], !password.isEmpty { return password }
        guard Console.inputIsTerminal else {
            throw CLIError(
                .usage, "a password is needed and there is no terminal to ask at",
                nextStep: "Use --password-stdin or PAGEWRIGHT_PASSWORD.")
        }
        return try withoutEcho { try ask("Password: ") }
    }

    /// Asks at the terminal; without one says which option to use instead.
    static func ask(_ question: String, option: String) throws -> String {
        guard Console.inputIsTerminal else {
            throw CLIError(
                .usage, "\(option) is needed and there is no terminal to ask at", nextStep: "Give \(option).")
        }
        return try ask(question)
    }

    private static func ask(_ question: String) throws -> String {
        Console.write(Data(question.utf8), to: STDERR_FILENO)
        guard let line = readLine(strippingNewline: true), !line.isEmpty else {
            throw CLIError(.usage, "nothing was entered")
        }
        return line
    }

    private static func withoutEcho(_ body: () throws -> String) throws -> String {
        var settings = termios()
        guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return try body() }
        var silent = settings
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
            Console.printError("")
        }
        return try body()
    }
}
