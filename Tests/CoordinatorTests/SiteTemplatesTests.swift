import Domain
import Foundation
import TestSupport
import Testing

@testable import Coordinator

@Suite struct SiteTemplatesTests {
    @Test("Every template comes with what a site needs, sorted, with paths that a version accepts")
    func complete() throws {
        let templates = try SiteTemplates.load()
        #expect(templates.map(\.name) == ["bakery", "landing", "portfolio"])
        for template in templates {
            let paths = template.files.map(\.path)
            #expect(!template.title.isEmpty && !template.description.isEmpty)
            #expect(Set(paths).isSuperset(of: ["404.html", "favicon.svg", "index.html", "styles.css"]))
            #expect(!paths.contains("template.json"))
            let checked = try paths.map { try SitePath($0) }
            #expect(checked == checked.sorted())
            #expect(checked.allSatisfy { !$0.isHidden })
            #expect(template.files.allSatisfy { !$0.bytes.isEmpty })
        }
    }

    @Test("A program that was copied elsewhere finds the templates beside itself, then in the shared folder")
    func places() {
        let places = SiteTemplates.places(besideExecutable: URL(filePath: "/opt/pagewright/bin/pagewright-coordinator"))
        #expect(
            places.map(\.path) == [
                "/opt/pagewright/bin/pagewright_Coordinator.resources/Resources/templates",
                "/opt/pagewright/share/pagewright/templates",
                "/usr/share/pagewright/templates",
            ])
        #expect(SiteTemplates.places(besideExecutable: nil).map(\.path) == ["/usr/share/pagewright/templates"])
        #expect(SiteTemplates.places(besideExecutable: URL(filePath: "/usr/bin/pagewright-coordinator")).count == 2)
    }

    @Test("Files in folders keep their path, and files that begin with a dot stay behind")
    func reading() async throws {
        try await withTemporaryDirectory { path in
            let images = path + "/tiny/site/images"
            try FileManager.default.createDirectory(atPath: images, withIntermediateDirectories: true)
            for (name, text) in [
                ("template.json", #"{"name":"tiny","title":"Tiny","description":"One page."}"#),
                ("site/index.html", "<h1>Hello</h1>"), ("site/images/dot.svg", "<svg/>"), ("site/.leftover", "x"),
            ] {
                try Data(text.utf8).write(to: URL(filePath: "\(path)/tiny/\(name)"))
            }
            let templates = try SiteTemplates.load(from: URL(filePath: path))
            let template = try #require(templates.first)
            #expect(templates.count == 1)
            #expect(template.title == "Tiny")
            #expect(template.files.map(\.path) == ["images/dot.svg", "index.html"])
            #expect(template.files.last?.bytes == Array("<h1>Hello</h1>".utf8))
        }
    }

    @Test("A template that calls itself something else is refused")
    func wrongName() async throws {
        try await withTemporaryDirectory { path in
            try FileManager.default.createDirectory(atPath: path + "/tiny/site", withIntermediateDirectories: true)
            try Data(#"{"name":"other","title":"","description":""}"#.utf8)
                .write(to: URL(filePath: path + "/tiny/template.json"))
            #expect(throws: ServiceError.self) { try SiteTemplates.load(from: URL(filePath: path)) }
        }
    }

    @Test("A folder that is not there is an error that names it")
    func missing() {
        let error = #expect(throws: ServiceError.self) {
            try SiteTemplates.load(from: URL(filePath: "/nowhere/templates"))
        }
        #expect(error?.message.contains("/nowhere/templates") == true)
    }
}
