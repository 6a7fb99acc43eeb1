import Foundation
import Testing

/// Rules of the house that a compiler does not know.
@Suite struct RuleTests {
    /// What ends up in `pagewright-agent`, which is one file without Foundation's data.
    private static let agentSide = [
        "AgentCore", "AgentDaemon", "AgentProtocol", "Artifacts", "BlockingIO", "Browser", "Domain", "Egress",
        "Engines", "Faults", "FleetIdentity", "Markup", "Nginx", "Sandbox", "Serving", "Systemd", "Telemetry",
        "Worker",
    ]

    @Test("Nothing on the agent's side imports Foundation", arguments: agentSide)
    func noFoundation(room: String) throws {
        for file in try House.swiftFiles(in: House.root.appending(path: "Sources/\(room)")) {
            #expect(!House.imports(of: file.text).contains("Foundation"), "\(file.path)")
        }
    }

    @Test("The list of the agent's side has everything that the agent is made of")
    func agentSideIsComplete() throws {
        let house = try House()
        var reached: Set<String> = []
        var open = ["AgentDaemon"]
        while let name = open.popLast() {
            guard let room = house.room(name), !room.isC else { continue }
            if reached.insert(name).inserted { open += room.neighbours }
        }
        #expect(reached.subtracting(Self.agentSide).sorted().isEmpty)
    }

    @Test("The domain imports nothing")
    func domainStandsAlone() throws {
        for file in try House.swiftFiles(in: House.root.appending(path: "Sources/Domain")) {
            #expect(House.imports(of: file.text).isEmpty, "\(file.path)")
        }
    }

    @Test("No file is longer than 500 lines", arguments: ["Sources", "Tests"])
    func filesAreShort(folder: String) throws {
        for file in try House.swiftFiles(in: House.root.appending(path: folder), generated: false) {
            let lines = file.text.utf8.count { $0 == UInt8(ascii: "\n") }
            #expect(lines <= 500, "\(file.path)")
        }
    }

    @Test("No file or folder is a drawer")
    func filesAreNamedAfterTypes() throws {
        for file in try House.swiftFiles(in: House.root.appending(path: "Sources"), generated: false) {
            let isDrawer = file.path.contains(/(Utils?|Utilities|Helpers?|Common|Misc|Managers?)(\.swift|\/)/)
            #expect(!isDrawer, "\(file.path): find the noun")
        }
    }

    @Test("The documentation mentions every template")
    func templatesAreDocumented() throws {
        let text = try House.text("docs/templates.md")
        for template in try TemplateFolder.all() {
            #expect(text.contains("`\(template.name)`"), "docs/templates.md does not mention it")
        }
    }
}
