import Domain
import Glibc
import Synchronization

/// The generator as a process: a ``GeneratorInput`` as JSON on standard input, events as lines of JSON on standard
/// output, the site in the current folder.
package enum GeneratorProcess {
    private struct Event: Encodable {
        var event: String
        var step: String?
        var percent: Int?
        var summary: String?
        var message: String?
        var kind: String?
        var code: String?
        var done: GenerationLine?
    }

    /// Runs to the end. Gives the exit status: 0 when it was done, 3 when the task was refused and nothing changed, 1
    /// when something failed, with the reason on standard error.
    package static func run() async -> Int32 {
        await run(input: STDIN_FILENO, output: STDOUT_FILENO, folder: ".")
    }

    static func run(input: Int32, output: Int32, folder: String) async -> Int32 {
        guard let text = readAll(input) else {
            write("cannot read the task\n", to: STDERR_FILENO)
            return 1
        }
        do {
            let told: GeneratorInput
            do {
                told = try StepJSON.value(GeneratorInput.self, in: text)
            } catch {
                say(Event(event: "refused", message: "This brief cannot be read: \(error)"), to: output)
                return 3
            }
            let task = told.task
            let model: any StepModel = try told.model.map { try AskedStepModel($0) } ?? StepComposer()
            let result = try await SiteGenerator(task, model: model) { report in
                switch report {
                case .progress(let step, let percent):
                    say(Event(event: "progress", step: step, percent: percent), to: output)
                case .done(let step): say(Event(event: "step", done: GenerationLine(step)), to: output)
                }
            }.run()
            let summary: String
            switch result {
            case .plan(let plan): summary = Self.summary(of: plan)
            case .site(let site):
                try place(site, in: folder)
                summary = Self.summary(of: site, by: model)
            }
            say(Event(event: "finished", summary: summary), to: output)
            return 0
        } catch let error as ModelFailure {
            let failure = error.failure
            say(
                Event(event: "refused", message: failure.message, kind: failure.kind.rawValue, code: failure.code),
                to: output)
            return 3
        } catch let error as SiteGenerator.UselessAnswer {
            say(Event(event: "refused", message: "The site was not made: \(error)."), to: output)
            return 3
        } catch {
            write("\(error)\n", to: STDERR_FILENO)
            return 1
        }
    }

    private static func place(_ site: GeneratedSite, in folder: String) throws {
        var workspace = try BuiltinWorkspace(at: folder)
        for file in site.files { try workspace.write(file.bytes, to: file.path) }
        try workspace.commit()
    }

    static func summary(of plan: Sitemap) -> String {
        "Planned \(plan.pages.count == 1 ? "one page" : "\(plan.pages.count) pages"): "
            + plan.pages.map(\.title).joined(separator: ", ")
            + ". Look at the plan, change it if you like, and continue."
    }

    static func summary(of site: GeneratedSite, by model: any StepModel) -> String {
        let count = site.places.count
        var text = "Made \(count == 1 ? "one page" : "\(count) pages") with the \(model.title): "
        text += site.places.map { site.copies[$0.key]?.label ?? $0.key }.joined(separator: ", ") + "."
        guard !site.suggestions.isEmpty else { return text }
        return text + " Nothing was invented, so some things are for you to add:\n"
            + site.suggestions.map { "• \($0)" }.joined(separator: "\n")
    }

    // MARK: Lines

    /// Pages are written side by side, and their lines must not mix.
    private static let turn = Mutex(())

    private static func say(_ event: Event, to file: Int32) {
        guard let line = try? StepJSON.text(event) else { return }
        turn.withLock { _ in write(line + "\n", to: file) }
    }

    private static func readAll(_ file: Int32) -> String? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0, bytes.count <= GenerationTask.sizeLimit + ModelRequest.limit else { return nil }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }

    private static func write(_ text: String, to file: Int32) {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + done, $0.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            done += count
        }
    }
}
