/// The pages for when there is none of the site's own: small, of one file, light or dark as the visitor likes it.
package enum NginxPages {
    static let files: [(name: String, text: String)] = [
        (
            "404.html",
            page(title: "Page not found", text: "There is no page at this address. It may have moved.", link: true)
        ),
        ("421.html", page(title: "No site here", text: "No website is set up under this name on this server.")),
        (
            "429.html",
            page(
                title: "A little slower, please",
                text: "More requests came from you than this site answers at once. It works again in a few seconds.",
                again: true)
        ),
        (
            "503.html",
            page(title: "Back soon", text: "This site is being worked on. Please come back in a little while.")
        ),
    ]

    /// What visitors of a closed site see; `message` is plain text, and may be empty.
    package static func maintenance(message: String) -> String {
        let text = message.isEmpty ? "This site is being worked on. Please come back in a little while." : message
        return page(title: "Back soon", text: text)
    }

    private static func page(title: String, text: String, link: Bool = false, again: Bool = false) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">
        <title>\(escaped(title))</title>
        <style>
        :root { color-scheme: light dark; --ink: #1d2330; --soft: #566074; --paper: #f7f6f2; --line: #d9d6cc; }
        @media (prefers-color-scheme: dark) { :root { --ink: #ece9e1; --soft: #a9b0be; --paper: #14171d; --line: #333a46; } }
        * { box-sizing: border-box; }
        body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
          background: var(--paper); color: var(--ink); font: 1.0625rem/1.6 system-ui, sans-serif; }
        main { max-width: 32rem; border-top: 3px solid var(--line); padding-top: 1.5rem; }
        h1 { margin: 0 0 .5rem; font-size: 1.75rem; line-height: 1.2; }
        p { margin: 0 0 1rem; color: var(--soft); white-space: pre-line; overflow-wrap: anywhere; }
        a { color: inherit; }
        </style>
        </head>
        <body>
        <main>
        <h1>\(escaped(title))</h1>
        <p>\(escaped(text))</p>\(link ? "\n<p><a href=\"/\">Go to the front page</a></p>" : "")\(again ? "\n<p><a href=\"\">Try again</a></p>" : "")
        </main>
        </body>
        </html>

        """
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
