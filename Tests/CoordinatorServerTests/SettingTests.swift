import ArgumentParser
import Domain
import Foundation
import TestSupport
import Testing

@testable import CoordinatorServer

@Suite struct SettingTests {
    private func file(_ text: String) throws -> ConfigurationFile {
        try ConfigurationFile.parse(text, path: "/etc/c.yaml")
    }

    private func message(_ body: () throws -> some Any) -> String {
        do {
            _ = try body()
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test("The command line wins over the environment, which wins over the file, which wins over the standard")
    func order() throws {
        let file = try file("listen: from-file\nagents:\n  port: 1\n  address: from-file\nsites:\n  port: 2\n")
        let source = SettingSource(
            flags: [.listen: "from-flag"],
            environment: [
                "PAGEWRIGHT_LISTEN": "from-variable", "PAGEWRIGHT_AGENTS_PORT": "7", "PAGEWRIGHT_SITES_PORT": "",
            ],
            file: file)
        #expect(source.text(.listen) == "from-flag")
        #expect(try source.port(.agentsPort) == 7)
        #expect(source.text(.agentsAddress) == "from-file")
        #expect(try source.port(.sitesPort) == 2, "an empty variable hides nothing")
        #expect(try source.port(.port) == 8085)
    }

    @Test("A wrong value is named where it was written")
    func origins() throws {
        let inFile = SettingSource(environment: [:], file: try file("# ports\nagents:\n  port: 70000\n"))
        #expect(message { try inFile.port(.agentsPort) }.contains("agents.port (/etc/c.yaml, line 3) is a port"))
        let inEnvironment = SettingSource(
            environment: ["PAGEWRIGHT_LOG_LEVEL": "loud", "PAGEWRIGHT_STATE": "/x"], file: nil)
        #expect(message { try ServeSettings(inEnvironment) }.contains("PAGEWRIGHT_LOG_LEVEL is debug, info"))
        let flag = SettingSource(flags: [.sitesDomain: "not a name", .state: "/x"], environment: [:], file: nil)
        #expect(message { try ServeSettings(flag) }.contains("--sites-domain is a domain name, not “not a name”"))
        let nothing = SettingSource(environment: [:], file: nil)
        #expect(message { try ServeSettings(nothing) }.contains("state is not set"))
    }

    @Test(
        "What is no configuration is refused with its line",
        arguments: [
            ("prot: 1", "line 1: there is no setting prot"), ("a: 1\n- b", "is no YAML"),
            ("- port", "is no list of settings"), ("port: [1, 2]", "line 1: port takes one value"),
            ("listen: x\nagents:\n  prt: 1", "line 3: there is no setting agents.prt"),
        ])
    func refused(text: String, expected: String) {
        #expect(message { try file(text) }.contains(expected))
    }

    @Test("An empty file sets nothing", arguments: ["", "# only words\n"])
    func empty(text: String) throws {
        #expect(try file(text).entries.isEmpty)
    }

    @Test("Every setting of the printed example is understood")
    func example() throws {
        let text = SettingsCommand.example.split(separator: "\n").filter { $0.hasPrefix("#") && !$0.hasPrefix("# ") }
            .map { $0.dropFirst() }.joined(separator: "\n")
        let entries = try file(text).entries
        #expect(entries.count == Setting.all.count)
    }

    @Test("Every setting that is no secret is an option of serve, and no secret is")
    func flags() {
        let help = Program.helpMessage(for: ServeCommand.self, columns: 200)
        let options = Set(help.split(whereSeparator: \.isWhitespace).map(String.init))
        for setting in Setting.all {
            #expect(options.contains(setting.flag) != setting.isSecret, "\(setting.name)")
        }
    }

    @Test("A file that is not there is an error that names it")
    func missing() async throws {
        try await withTemporaryDirectory { folder in
            #expect(message { try ConfigurationFile.read(folder + "/none.yaml") }.contains(folder + "/none.yaml"))
        }
    }
}
