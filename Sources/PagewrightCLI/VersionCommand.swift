import ArgumentParser
import Foundation

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version of this program.",
        discussion: "Example: pagewright version --json")

    @Flag(help: "Print JSON.") var json = false

    func run() {
        Console.print(json ? #"{"version":"\#(ClientVersion.text)"}"# : "pagewright \(ClientVersion.text)")
    }
}
