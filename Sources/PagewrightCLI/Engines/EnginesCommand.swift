import ArgumentParser
import Foundation

struct EngineBody: Decodable {
    struct Setting: Decodable {
        let enabled: Bool
        let provider: String
        let baseUrl: String
        let largeModel: String
        let smallModel: String?
        let keyHint: String?
        let answerTimeoutSeconds: Int
        let timeLimitSeconds: Int
    }

    let name: String
    let asksModel: Bool
    let workers: Int
    let setting: Setting?

    var models: String {
        guard let setting else { return "-" }
        return setting.smallModel.map { "\(setting.largeModel), small: \($0)" } ?? setting.largeModel
    }

    var state: String {
        guard asksModel else { return "ready" }
        guard let setting else { return "not configured" }
        return setting.enabled ? "configured" : "disabled"
    }
}

struct EnginesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "engines", abstract: "See, set and test what edits sites (administrators).",
        discussion: "Example: pagewright engines list",
        subcommands: [EnginesListCommand.self, EnginesSetCommand.self, EnginesTestCommand.self],
        defaultSubcommand: EnginesListCommand.self)
}

struct EnginesListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the engines and their models.",
        discussion: "Example: pagewright engines list --json")

    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.get, "/admin/engines")
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable("ENGINE", "STATE", "MODELS", "ADDRESS", "KEY", "WORKERS")
            for engine in try answer.decode(ListBody<EngineBody>.self).items {
                table.add(
                    engine.name, engine.state, engine.models, engine.setting?.baseUrl ?? "-",
                    engine.setting?.keyHint ?? "-", "\(engine.workers)")
            }
            table.print(empty: "There is no engine.")
        }
    }
}

struct EnginesSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set how an engine asks its model; what is not given stays.",
        discussion: """
            The key is read from standard input or from PAGEWRIGHT_MODEL_KEY, never from the command line. It is stored
            sealed and cannot be shown again.

            Example: pagewright engines set model --provider anthropic-messages --large-model NAME --key-stdin < key.txt
            """)

    struct Request: Encodable {
        let enabled: Bool?
        let provider: String?
        let baseUrl: String?
        let largeModel: String?
        let smallModel: String?
        let key: String?
        let answerTimeoutSeconds: Int?
        let timeLimitSeconds: Int?
        let inputPrice: Int?
        let cachedPrice: Int?
        let outputPrice: Int?
    }

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "codex, claude or model.") var engine: String
    @Option(help: "openai-responses, openai-chat or anthropic-messages.") var provider: String?
    @Option(help: "Where the provider answers, such as https://api.openai.com/v1.") var baseUrl: String?
    @Option(help: "The model for what has to be thought up.") var largeModel: String?
    @Option(help: "The model for small requests; empty text: the large one.") var smallModel: String?
    @Flag(help: "Read the key from standard input.") var keyStdin = false
    @Flag(help: "Take the key away.") var noKey = false
    @Option(help: ArgumentHelp("How long the model may be silent.", valueName: "seconds")) var answerTimeout: Int?
    @Option(help: ArgumentHelp("How long an attempt may take.", valueName: "seconds")) var timeLimit: Int?
    @Option(help: "Of a million input tokens, in millionths of the currency.") var inputPrice: Int?
    @Option(help: "Of a million cached input tokens.") var cachedPrice: Int?
    @Option(help: "Of a million output tokens.") var outputPrice: Int?
    @Flag(inversion: .prefixedEnableDisable, help: "Let edits use it, or not.") var use: Bool?

    func validate() throws {
        guard !(keyStdin && noKey) else { throw ValidationError("--key-stdin and --no-key exclude each other") }
    }

    func run() async throws {
        let key = try Self.key(
            fromStandardInput: keyStdin, takeAway: noKey, environment: ProcessInfo.processInfo.environment)
        try await connection.withClient { client in
            let request = Request(
                enabled: use, provider: provider, baseUrl: baseUrl, largeModel: largeModel, smallModel: smallModel,
                key: key, answerTimeoutSeconds: answerTimeout, timeLimitSeconds: timeLimit, inputPrice: inputPrice,
                cachedPrice: cachedPrice, outputPrice: outputPrice)
            let answer = try await client.send(.put, "/admin/engines/\(engine)", body: .json(request))
            guard !connection.json else { return Console.print(json: answer.body) }
            let body = try answer.decode(EngineBody.self)
            Console.print("\(body.name) is \(body.state): \(body.models) at \(body.setting?.baseUrl ?? "-").")
            if body.workers == 0 { Console.print("No connected worker can run it yet.") }
            Console.print("Try it with: pagewright engines test \(body.name)")
        }
    }

    static func key(fromStandardInput: Bool, takeAway: Bool, environment: [String: String]) throws -> String? {
        if takeAway { return "" }
        guard fromStandardInput else {
            return environment["PAGEWRIGHT_MODEL_KEY"].flatMap { $0.isEmpty ? nil : $0 }
        }
        guard let line = readLine(strippingNewline: true), !line.isEmpty else {
            throw CLIError(.usage, "there is no key on standard input")
        }
        return line
    }
}

struct EnginesTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Ask the models of an engine for a word each.",
        discussion: "Example: pagewright engines test model")

    struct Answer: Decodable {
        let model: String
        let answers: Bool
        let message: String
        let durationMs: Int
    }

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "codex, claude or model.") var engine: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.post, "/admin/engines/\(engine)/test", timeout: .seconds(90))
            let items = try answer.decode(ListBody<Answer>.self).items
            if connection.json {
                Console.print(json: answer.body)
            } else {
                for item in items { Console.print("\(item.model): \(item.message) (\(item.durationMs) ms)") }
            }
            guard items.allSatisfy(\.answers) else {
                throw CLIError(.failed, "not every model of \(engine) answers")
            }
        }
    }
}
