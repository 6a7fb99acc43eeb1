import ArgumentParser
import Browser

/// The page checker as a process of its own. The agent runs this inside of a sandbox; it is of no use elsewhere.
struct PageCheckerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "page-checker", abstract: "Look at pages with a browser, as standard input says.",
        shouldDisplay: false)

    func run() throws {
        throw ExitCode(PageChecker.runProcess())
    }
}
