import Domain

/// The first version of a site that is being generated: one honest page, until there is a better one.
enum SiteStarter {
    static let name = "starter"

    static func files(for brief: SiteBrief) -> [(path: String, bytes: [UInt8])] {
        let name = escaped(brief.businessName)
        let sentence =
            brief.languages.first == .german ? "Diese Website entsteht gerade." : "This website is being made."
        let page = """
            <!DOCTYPE html>
            <html lang="\(brief.languages.first?.rawValue ?? "en")">
            <head>
              <meta charset="utf-8">
              <meta name="viewport" content="width=device-width, initial-scale=1">
              <title>\(name)</title>
              <meta name="description" content="\(sentence)">
              <style>
                :root { color-scheme: light dark; }
                body { display: grid; place-content: center; min-height: 100vh; margin: 0; padding: 1.5rem; text-align: center; font: 1.125rem/1.6 system-ui, sans-serif; }
                h1 { margin: 0 0 0.5rem; font-size: clamp(2rem, 1.5rem + 3vw, 3.5rem); line-height: 1.1; overflow-wrap: anywhere; }
                p { margin: 0; }
              </style>
            </head>
            <body>
              <main>
                <h1>\(name)</h1>
                <p>\(sentence)</p>
              </main>
            </body>
            </html>

            """
        return [(path: "index.html", bytes: Array(page.utf8))]
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}
