import ArgumentParser

struct ConversationBody: Decodable {
    let id: String
    let title: String
    let createdAt: String
}

struct ConversationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conversations", abstract: "List the conversations about a site, begin one, or show one.",
        discussion: """
            An edit belongs to the site's newest conversation, and the engine sees what was said in it before. --new begins
            one that knows nothing.

            Example: pagewright conversations bakery
            Example: pagewright conversations bakery --new "Christmas"
            Example: pagewright conversations bakery --show conv_01jx…
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String
    @Option(help: ArgumentHelp("Begin a conversation with this title.", valueName: "title")) var new: String?
    @Option(help: ArgumentHelp("Show what was said in this conversation.", valueName: "id")) var show: String?

    func validate() throws {
        guard new == nil || show == nil else { throw ValidationError("Use --new or --show, not both.") }
    }

    func run() async throws {
        try await connection.withClient { client in
            if let new {
                let answer = try await client.send(
                    .post, "/sites/\(site)/conversations", body: .json(["title": new]))
                guard !connection.json else { return Console.print(json: answer.body) }
                let made: ConversationBody = try answer.decode()
                return Console.print("Edits of \(site) belong to \(made.id) from now on.")
            }
            if let show {
                let answer = try await client.list("/sites/\(site)/conversations/\(show)/turns")
                guard !connection.json else { return Console.print(json: answer.body) }
                for job in try answer.decode(ListBody<JobBody>.self).items.reversed() {
                    for line in Self.lines(job) { Console.print(line) }
                }
                return
            }
            let answer = try await client.list("/sites/\(site)/conversations")
            guard !connection.json else { return Console.print(json: answer.body) }
            var table = TextTable("CONVERSATION", "", "BEGAN", "ABOUT")
            for (index, conversation) in try answer.decode(ListBody<ConversationBody>.self).items.enumerated() {
                table.add(
                    conversation.id, index == 0 ? "current" : "", Wording.age(conversation.createdAt),
                    String(conversation.title.prefix(80)))
            }
            table.print(empty: "Nothing was said yet. Try: pagewright edit \(site) \"Change the headline to …\"")
        }
    }

    static func lines(_ job: JobBody) -> [String] {
        let result = job.version.map { "version \($0)" } ?? job.failure?.message ?? job.state
        var lines = ["> \(job.prompt ?? "")", "  \(result)  (\(job.id), \(Wording.age(job.createdAt)))"]
        lines += (job.summary ?? "").split(whereSeparator: \.isNewline).prefix(20).map { "  \($0)" }
        return lines + [""]
    }
}

struct UndoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Put the version before into the preview again; nothing is lost.",
        discussion: "Example: pagewright undo bakery")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.post, "/sites/\(site)/undo")
            guard !connection.json else { return Console.print(json: answer.body) }
            let found: SiteBody = try answer.decode()
            Console.print(
                "The preview of \(found.slug) shows version \(found.previewVersion ?? 0) again: \(found.previewUrl)")
        }
    }
}

struct PickCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pick", abstract: "Show in the preview what one of several tries made.",
        discussion: "Example: pagewright pick bakery edit_01jx…")

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String
    @Argument(help: "The id of the try, as `pagewright edit --variants` printed it.") var edit: String

    func run() async throws {
        try await connection.withClient { client in
            let answer = try await client.send(.post, "/sites/\(site)/edits/\(edit)/pick")
            guard !connection.json else { return Console.print(json: answer.body) }
            let found: SiteBody = try answer.decode()
            Console.print(
                "The preview of \(found.slug) shows version \(found.previewVersion ?? 0): \(found.previewUrl)")
        }
    }
}

struct LocksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "locks", abstract: "List the files that no edit may touch, or say which they are.",
        discussion: """
            A file (imprint.html), a folder (legal/) or a pattern (img/*.png, *.css). What is set replaces what was there.

            Example: pagewright locks bakery
            Example: pagewright locks bakery --set legal/ --set robots.txt
            Example: pagewright locks bakery --clear
            """)

    struct Body: Codable {
        let patterns: [String]
    }

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "The site's slug or id.") var site: String
    @Option(name: .customLong("set"), help: ArgumentHelp("Lock these, and no others.", valueName: "pattern"))
    var patterns: [String] = []
    @Flag(help: "Unlock everything.") var clear = false

    func validate() throws {
        guard !clear || patterns.isEmpty else { throw ValidationError("Use --set or --clear, not both.") }
    }

    func run() async throws {
        try await connection.withClient { client in
            let answer =
                clear || !patterns.isEmpty
                ? try await client.send(.put, "/sites/\(site)/locks", body: .json(Body(patterns: patterns)))
                : try await client.send(.get, "/sites/\(site)/locks")
            guard !connection.json else { return Console.print(json: answer.body) }
            let locks = try answer.decode(Body.self).patterns
            Console.print(locks.isEmpty ? "No file of \(site) is locked." : locks.joined(separator: "\n"))
        }
    }
}
