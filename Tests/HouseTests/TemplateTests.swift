import Foundation
import Testing

/// What every starter site promises, because people and the built-in engine build on it.
@Suite struct TemplateTests {
    private static let templates = (try? TemplateFolder.all()) ?? []

    @Test("There are three templates, and each says what it is")
    func descriptions() throws {
        struct Description: Decodable { let name, title, description: String }
        let templates = try TemplateFolder.all()
        #expect(templates.map(\.name) == ["bakery", "landing", "portfolio"])
        for template in templates {
            let text = try Data(contentsOf: template.url.appending(path: "template.json"))
            let description = try JSONDecoder().decode(Description.self, from: text)
            #expect(description.name == template.name)
            #expect(!description.title.isEmpty && description.description.hasSuffix("."))
        }
    }

    @Test("A template is at most 60 KB without pictures, and its pictures are small", arguments: templates)
    func size(template: TemplateFolder) throws {
        let isPicture = { (path: String) in path.hasPrefix("images/") }
        let total = try template.paths.filter { !isPicture($0) }.reduce(0) { try $0 + template.size($1) }
        #expect(total <= 60_000)
        for picture in template.paths.filter(isPicture) {
            #expect(picture.hasSuffix(".svg"))
            #expect(try template.size(picture) <= 16_000, "\(picture)")
        }
        #expect(Set(template.paths).isSuperset(of: ["404.html", "favicon.svg", "index.html", "styles.css"]))
    }

    @Test("Every page has what readers, screen readers and search engines look for", arguments: templates)
    func elements(template: TemplateFolder) throws {
        var titles: Set<String> = []
        for page in template.pages {
            let text = try template.text(page)
            #expect(text.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">"), "\(page)")
            for part in [
                #"<meta charset="utf-8">"#, #"<meta name="viewport" content="width=device-width, initial-scale=1">"#,
                #"<meta name="description" content=""#, ##"<a class="skip" href="#main">"##, #"<main id="main""#,
                #"<nav aria-label="Main">"#, "<h1>", "<header", "<footer", #"rel="stylesheet""#, #"rel="icon""#,
            ] {
                #expect(text.contains(part), "\(page)")
            }
            for tag in ["h1", "main", "title", "nav"] {
                #expect(text.matches(of: try Regex("<\(tag)[ >]")).count == 1, "\(page) needs one <\(tag)>")
            }
            let title = try #require(text.firstMatch(of: /<title>([^<]+)<\/title>/))
            #expect(titles.insert(String(title.1)).inserted, "\(page) has the title of another page")
            let identifiers = TemplateFolder.identifiers(in: text)
            #expect(Set(identifiers).count == identifiers.count, "\(page) has an id twice")
        }
    }

    @Test("The first heading is plain text, which a request in words can replace", arguments: templates)
    func headline(template: TemplateFolder) throws {
        for page in template.pages {
            #expect(try template.text(page).contains(/<h1>[^<]+<\/h1>/), "\(page)")
        }
    }

    @Test("Every section has an id and a heading; headings skip no level", arguments: templates)
    func sections(template: TemplateFolder) throws {
        for page in template.pages {
            let text = try template.text(page)
            for section in text.matches(of: /<section([^>]*)>([\s\S]*?)<\/section>/) {
                #expect(section.1.contains("id=\""), "\(page)")
                #expect(section.2.matches(of: /<h2>/).count == 1, "\(page):\(section.1)")
            }
            var level = 0
            for heading in text.matches(of: /<h([1-6])[ >]/) {
                let next = try #require(Int(heading.1))
                #expect(next <= level + 1, "\(page)")
                level = next
            }
        }
    }

    @Test("Every page has the same navigation, which marks the page itself", arguments: templates)
    func navigation(template: TemplateFolder) throws {
        let home = TemplateFolder.navigation(in: try template.text("index.html"))
        #expect(home.count >= 3)
        for page in template.pages {
            let text = try template.text(page)
            #expect(TemplateFolder.navigation(in: text) == home, "\(page)")
            let current = text.matches(of: /href="([^"]+)" aria-current="page"/).map { String($0.1) }
            #expect(current == (page == "404.html" ? [] : [page]))
        }
        #expect(home.count + 1 == template.pages.count, "every page but 404.html is in the navigation")
    }

    @Test("Every link within the site leads somewhere", arguments: templates)
    func linksResolve(template: TemplateFolder) throws {
        for page in template.paths {
            let folder = page.split(separator: "/").dropLast().map { "\($0)/" }.joined()
            for reference in TemplateFolder.references(in: try template.text(page)) {
                let parts = reference.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                let path = String(parts[0])
                let target = path.isEmpty ? page : path.hasPrefix("/") ? String(path.dropFirst()) : folder + path
                guard template.paths.contains(target) else {
                    Issue.record("\(page) refers to \(reference)")
                    continue
                }
                guard parts.count == 2 else { continue }
                let identifiers = TemplateFolder.identifiers(in: try template.text(target))
                #expect(identifiers.contains(String(parts[1])), "\(page) refers to \(reference)")
            }
        }
    }

    @Test("The page for a wrong address is shown at any depth, so its links begin at the top", arguments: templates)
    func notFoundPage(template: TemplateFolder) throws {
        let references = TemplateFolder.references(in: try template.text("404.html"))
        #expect(references.filter { !$0.hasPrefix("/") } == ["#main"])
    }

    @Test("Nothing is fetched from elsewhere, and nothing is scripted or styled inline", arguments: templates)
    func selfContained(template: TemplateFolder) throws {
        for path in template.paths {
            // The name of the format is no address that anything fetches.
            let text = try template.text(path).replacing("xmlns=\"http://www.w3.org/2000/svg\"", with: "")
            #expect(!text.contains(/[a-z]+:\/\/|["'(]\/\/|@import/), "\(path) names another host")
            let inline = /<(script|style|iframe|foreignObject)[ >]|\sstyle="|\son\w+="|javascript:/
            #expect(!text.contains(inline), "\(path)")
        }
    }

    @Test("Every picture says how large it is, and has a text, which may be empty", arguments: templates)
    func pictures(template: TemplateFolder) throws {
        for page in template.pages {
            for picture in try template.text(page).matches(of: /<img [^>]*>/) {
                for part in ["alt=\"", "width=\"", "height=\""] { #expect(picture.0.contains(part), "\(page)") }
            }
        }
    }

    @Test("The style sheet has one place for each colour, light first, then dark", arguments: templates)
    func styles(template: TemplateFolder) throws {
        let text = try template.text("styles.css")
        let dark = try #require(text.firstRange(of: "@media (prefers-color-scheme: dark)"))
        for name in ["--background", "--text", "--accent", "--link", "--on-accent"] {
            let values = text.matches(of: try Regex("\\n *\(name): #[0-9a-f]{6};"))
            try #require(values.count == 2, "\(name)")
            #expect(values[0].range.upperBound < dark.lowerBound && values[1].range.lowerBound > dark.upperBound)
        }
        for part in [
            "--surface:", ":focus-visible", "prefers-reduced-motion", "color-scheme: light dark", ".skip:focus",
        ] {
            #expect(text.contains(part))
        }
    }
}
