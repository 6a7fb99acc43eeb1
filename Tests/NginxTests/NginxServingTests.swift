import Foundation
import Nginx
import TestSupport
import Testing

/// What visitors get, asked of the real nginx.
@Suite("nginx in front of a host farm") struct NginxServingTests {
    private func withShop(_ body: @Sendable @escaping (Farm) async throws -> Void) async throws {
        try await withTemporaryDirectory { root in
            let farm = try Farm(root)
            try farm.addTree(
                "a",
                files: [
                    "index.html": "old shop", "app.0badcafe1.js": "old script", "gone.html": "gone", "style.css": "old",
                ])
            try farm.addTree(
                "b",
                files: [
                    "index.html": "new shop", "about.html": "about us", "docs/index.html": "docs",
                    "404.html": "lost in the shop",
                    ".env": "SECRET", ".git/config": "SECRET", "docs/.hidden": "SECRET",
                    ".well-known/security.txt": "mail us",
                    "page.rst": "source", "objects.inv": "inventory", "app.webmanifest": "{}", "style.css": "p{}",
                ])
            try farm.link("trees/\(String(repeating: "b", count: 64))/leak.txt", to: "/etc/passwd")
            try farm.link("trees/\(String(repeating: "b", count: 64))/leak", to: "/etc")
            try farm.link("trees/\(String(repeating: "b", count: 64))/neighbour", to: "../../sites")
            try farm.addSite("shop", live: "b", preview: "a", previous: "a")
            try farm.addSite("plain", live: "a")
            try farm.addSite("closed", live: "b", maintenance: "<p>closed until Monday")
            try await farm.serve { _ in try await body(farm) }
        }
    }

    @Test("The live name shows the live tree, with the version in a header")
    func live() async throws {
        try await withShop { farm in
            let answer = try farm.get("shop.localhost")
            #expect(answer.status == 200)
            #expect(answer.text == "new shop")
            #expect(answer.headers["x-pagewright-version"] == "bbbbbbbbbbbb")
            #expect(answer.headers["content-type"] == "text/html; charset=utf-8")
            #expect(answer.headers["cache-control"] == "public, max-age=0, must-revalidate")
            #expect(answer.headers["x-content-type-options"] == "nosniff")
            #expect(answer.headers["referrer-policy"] == "strict-origin-when-cross-origin")
            #expect(answer.headers["last-modified"] == nil)
            #expect(answer.headers["x-robots-tag"] == nil)
        }
    }

    @Test("The preview name shows the preview tree, and asks not to be kept or indexed")
    func preview() async throws {
        try await withShop { farm in
            let answer = try farm.get("shop--preview.localhost")
            #expect(answer.text == "old shop")
            #expect(answer.headers["cache-control"] == "no-store")
            #expect(answer.headers["x-robots-tag"]?.contains("noindex") == true)
            #expect(answer.headers["x-pagewright-version"] == "aaaaaaaaaaaa")
        }
    }

    @Test("Pages are found without their ending, folders by a redirect")
    func pages() async throws {
        try await withShop { farm in
            for (path, status, text) in [
                ("/about", 200, "about us"), ("/about.html", 200, "about us"), ("/docs/", 200, "docs"),
                ("/docs", 301, nil),
                ("/page.rst", 200, "source"), ("/.well-known/security.txt", 200, "mail us"), ("/docs//", 200, "docs"),
                ("/nothing", 404, "lost in the shop"), ("/nothing/", 404, "lost in the shop"),
                ("/about/", 404, "lost in the shop"),
            ] as [(String, Int, String?)] {
                let answer = try farm.get("shop.localhost", path)
                #expect(answer.status == status)
                if let text { #expect(answer.text == text) }
                if status == 301 { #expect(answer.headers["location"] == "/docs/") }
                if status == 404 { #expect(answer.headers["cache-control"] == "no-store") }
            }
        }
    }

    @Test("Types follow the name of the file")
    func types() async throws {
        try await withShop { farm in
            for (path, type) in [
                ("/page.rst", "text/plain; charset=utf-8"), ("/objects.inv", "application/octet-stream"),
                ("/app.webmanifest", "application/manifest+json; charset=utf-8"),
                ("/style.css", "text/css; charset=utf-8"),
            ] {
                try #expect(farm.get("shop.localhost", path).headers["content-type"] == type)
            }
        }
    }

    @Test("Assets named after their content are still found after a release; other files are not")
    func previousAssets() async throws {
        try await withShop { farm in
            try #expect(farm.get("shop.localhost", "/app.0badcafe1.js").text == "old script")
            try #expect(farm.get("shop.localhost", "/gone.html").status == 404)
            try #expect(farm.get("shop.localhost", "/style.css").text == "p{}")
            try #expect(farm.get("plain.localhost", "/app.0badcafe2.js").status == 404)
        }
    }

    @Test("A site without a 404 page of its own gets a friendly one, and unknown names another")
    func builtInPages() async throws {
        try await withShop { farm in
            let missing = try farm.get("plain.localhost", "/nothing")
            #expect(missing.status == 404)
            #expect(missing.text.contains("Page not found") && missing.text.contains("prefers-color-scheme"))
            let unknown = try farm.get("nobody.localhost")
            #expect(unknown.status == 421)
            #expect(unknown.text.contains("No site here"))
            #expect(unknown.headers["cache-control"] == "no-store")
        }
    }

    @Test("A closed site answers 503 everywhere, says when to come back, and shows its own page")
    func maintenance() async throws {
        try await withShop { farm in
            for path in ["/", "/about", "/nothing", "/docs"] {
                let answer = try farm.get("closed.localhost", path)
                #expect(answer.status == 503)
                #expect(answer.text == "<p>closed until Monday")
                #expect(answer.headers["retry-after"] == "60")
                #expect(answer.headers["cache-control"] == "no-store")
                #expect(answer.headers["x-pagewright-version"] == "bbbbbbbbbbbb")
            }
        }
    }

    @Test("In app mode addresses without a file show the front page, and names with a dot can be missing")
    func appMode() async throws {
        try await withTemporaryDirectory { root in
            let farm = try Farm(root)
            try farm.addTree(
                "c",
                files: [
                    "index.html": "the app", "about.html": "about us", "docs/index.html": "docs",
                    "404.html": "lost", "app.js": "script", ".env": "SECRET",
                ])
            try farm.addSite("app", live: "c", preview: "c", isApp: true)
            try await farm.serve { _ in
                for (path, status, text) in [
                    ("/", 200, "the app"), ("/shop", 200, "the app"), ("/shop/7", 200, "the app"),
                    ("/shop/7/", 200, "the app"), ("/v1.2/notes", 200, "the app"), ("/about", 200, "about us"),
                    ("/docs/", 200, "docs"), ("/app.js", 200, "script"), ("/gone.js", 404, "lost"),
                    ("/shop/gone.png", 404, "lost"), ("/.env", 404, "lost"), ("/.git/config", 404, "lost"),
                ] {
                    let answer = try farm.get("app.localhost", path)
                    #expect(answer.status == status && answer.text == text, "\(path): \(answer.status) \(answer.text)")
                }
                let deep = try farm.get("app.localhost", "/shop/7")
                #expect(deep.headers["content-type"] == "text/html; charset=utf-8")
                #expect(deep.headers["x-pagewright-version"] == "cccccccccccc")
                // The other names of the site keep what they were told.
                try #expect(farm.get("app--preview.localhost", "/shop").status == 404)
            }
        }
    }

    @Test("A site's own choice of a page for missing addresses comes before its 404.html")
    func missingPage() async throws {
        try await withTemporaryDirectory { root in
            let farm = try Farm(root)
            try farm.addTree("c", files: ["index.html": "front", "404.html": "plainly lost"])
            try farm.addSite("chosen", live: "c", missing: "lost with style")
            try farm.addSite("plain", live: "c")
            try await farm.serve { _ in
                let missing = try farm.get("chosen.localhost", "/nothing")
                #expect(missing.status == 404 && missing.text == "lost with style")
                try #expect(farm.get("plain.localhost", "/nothing").text == "plainly lost")
                try #expect(farm.get("chosen.localhost", "/missing-live.html").text == "lost with style")
                try #expect(farm.get("chosen.localhost", "/missing-live.html").status == 404)
            }
        }
    }

    @Test("Who sends more than a site answers at once gets a page that says so; others do not notice")
    func overLimit() async throws {
        try await withTemporaryDirectory { root in
            let farm = try Farm(root, visitorRate: 1)
            try farm.addTree("c", files: ["index.html": "front"])
            try farm.addSite("shop", live: "c")
            try farm.addSite("other", live: "c")
            try await farm.serve { _ in
                func ask(_ host: String, from source: UInt32) throws -> String {
                    try farm.exchange(
                        "GET / HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n", from: source)
                }
                var refused: String?
                // One a second, and five more at once; nobody waits long enough for all of these.
                for _ in 0..<200 where refused == nil {
                    let answer = try ask("shop.localhost", from: 0x7f00_0002)
                    if !answer.hasPrefix("HTTP/1.1 200") { refused = answer }
                }
                let page = try #require(refused)
                #expect(page.hasPrefix("HTTP/1.1 429") && page.contains("A little slower, please"))
                #expect(page.contains("Retry-After: 5") && page.contains("Cache-Control: no-store"))
                // Another visitor, another site, and this machine itself.
                #expect(try ask("shop.localhost", from: 0x7f00_0003).hasPrefix("HTTP/1.1 200"))
                #expect(try ask("other.localhost", from: 0x7f00_0002).hasPrefix("HTTP/1.1 200"))
                for _ in 0..<20 { try #expect(farm.get("shop.localhost").status == 200) }
            }
        }
    }

    @Test("Hidden files and links out of the tree are not found")
    func crafted() async throws {
        try await withShop { farm in
            for path in [
                "/.env", "/%2eenv", "//.env", "/.git/config", "/%2egit/config", "/docs/.hidden", "/.well-known/../.env",
                "/.well-known/%2e%2e/.env", "/leak.txt", "/leak/passwd", "/leak/",
                "/neighbour/shop/current/live/index.html",
                "/docs/../.env", "/docs/..%2f.env", "/docs/%2e%2e%2f.env", "/..", "/../", "/../../nginx/nginx.conf",
                "/%2e%2e/%2e%2e/nginx/nginx.conf", "/..%2f..%2fnginx/nginx.conf", "/docs/../../../nginx/nginx.conf",
                "/....//....//nginx/nginx.conf", "/..%5c..%5cnginx", "/%00", "/index.html%00.txt", "/index.html/",
                "/docs/index.html/x",
                "/desired.json", "/names/shop.localhost", "/live/index.html", "/previous/index.html",
                "/maintenance.html",
                "/%c0%ae%c0%ae/nginx.conf", "/.", "/./.env", "/a/b/../../.env",
            ] {
                let answer = try farm.exchange(
                    "GET \(path) HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n")
                let status = answer.split(separator: " ").dropFirst().first ?? ""
                // "/." and "/docs/index.html/.." style paths normalise to the front page, which is no leak.
                #expect(
                    ["400", "403", "404"].contains(status) || answer.hasSuffix("new shop"),
                    "\(path): \(answer.prefix(80))")
                #expect(!answer.contains("SECRET") && !answer.contains("root:") && !answer.contains("server {"))
            }
        }
    }

    @Test("No spelling of the host reaches what is not a name")
    func craftedHosts() async throws {
        try await withShop { farm in
            try farm.link("domains/.tmp.localhost", to: "../sites/shop/current/names/shop.localhost")
            try farm.link("domains/single", to: "../sites/shop/current/names/shop.localhost")
            for host in [
                "", ".", "..", "/", "../shop.localhost", "shop.localhost/..", "shop", "_", "domains", ".tmp.localhost",
                "shop..localhost", "shop.localhost..", "-shop.localhost", "shop-.localhost", "shop_.localhost",
                "shop.localhost%2f",
                "a%2e%2e", "shop.localhost\\..", "sh op.localhost", "[::1]", "[::1", "127.0.0.1",
                "pagewright-control.invalid",
                "xn--.localhost", "shop.localhost,plain.localhost", "../../nginx", "☃.localhost",
                String(repeating: "a", count: 64) + ".localhost", String(repeating: "a.", count: 130) + "localhost",
            ] {
                let answer = try farm.exchange("GET / HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n")
                let status = answer.split(separator: " ").dropFirst().first ?? ""
                #expect(["400", "421"].contains(status), "\(host): \(answer.prefix(80))")
                #expect(!answer.contains("shop"))
            }
        }
    }

    @Test(
        "Case, port and a final dot do not matter",
        arguments: [
            "SHOP.localhost", "shop.localhost:8080", "shop.localhost.", "Shop.LocalHost.:99999",
        ])
    func spellings(host: String) async throws {
        try await withShop { farm in try #expect(farm.get(host).text == "new shop") }
    }

    @Test("A request without a host meets no site")
    func noHost() async throws {
        try await withShop { farm in
            for request in ["GET / HTTP/1.0\r\n\r\n", "GET /\r\n", "GET / HTTP/1.1\r\n\r\n"] {
                let answer = try farm.exchange(request)
                #expect(!answer.contains("shop"))
                if request.contains("1.0") { #expect(answer.hasPrefix("HTTP/1.1 421")) }
            }
        }
    }

    @Test("Two hosts are refused, and another host in the request line wins over the header")
    func twoHosts() async throws {
        try await withShop { farm in
            let two = try farm.exchange(
                "GET / HTTP/1.1\r\nHost: shop.localhost\r\nHost: plain.localhost\r\nConnection: close\r\n\r\n")
            #expect(two.hasPrefix("HTTP/1.1 400"))
            let absolute = try farm.exchange(
                "GET http://plain.localhost/ HTTP/1.1\r\nHost: shop.localhost\r\nConnection: close\r\n\r\n")
            #expect(absolute.hasSuffix("old shop"))
        }
    }

    @Test("Other methods than GET and HEAD are refused")
    func methods() async throws {
        try await withShop { farm in
            for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
                try #expect((400..<500).contains(farm.get("shop.localhost", "/", method: method).status))
            }
        }
    }

    @Test("The validator follows the fingerprint in the time of the file, and nothing else")
    func validators() async throws {
        try await withShop { farm in
            let file = farm.root + "/trees/" + String(repeating: "b", count: 64) + "/index.html"
            func validator(_ time: Int) throws -> String {
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: Double(time))], ofItemAtPath: file)
                return try #require(try farm.get("shop.localhost").headers["etag"])
            }
            func conditional(_ header: String) throws -> String {
                let answer = try farm.exchange(
                    "GET / HTTP/1.1\r\nHost: shop.localhost\r\n\(header)\r\nConnection: close\r\n\r\n")
                return String(answer.split(separator: " ")[1])
            }
            let first = try validator(1_000_000_000)
            try #expect(conditional("If-None-Match: \(first)") == "304")
            let second = try validator(900_000_000)
            #expect(second != first)
            try #expect(conditional("If-None-Match: \(first)") == "200")
            try #expect(conditional("If-None-Match: \(second)") == "304")
            // A date says nothing here: an older release may be newer to the visitor.
            try #expect(conditional("If-Modified-Since: Fri, 01 Jan 2038 00:00:00 GMT") == "200")
            try #expect(conditional("If-Modified-Since: Wed, 09 Jul 1998 16:00:00 GMT") == "200")
            try #expect(conditional("Range: bytes=0-2\r\nIf-Range: \(first)") == "200")
            try #expect(conditional("Range: bytes=0-2\r\nIf-Range: \(second)") == "206")
            // Beyond 32 bits of seconds.
            let late = try validator(8_000_000_000)
            try #expect(conditional("If-None-Match: \(late)") == "304")
        }
    }

    @Test("Text is compressed for those who ask")
    func compression() async throws {
        try await withShop { farm in
            try farm.addTree("b", files: ["long.html": String(repeating: "<p>the same again</p>", count: 400)])
            let answer = try farm.exchange(
                "GET /long.html HTTP/1.1\r\nHost: shop.localhost\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n")
            #expect(answer.contains("Content-Encoding: gzip") && answer.contains("Vary: Accept-Encoding"))
        }
    }
}
