/// A credential in a file that everybody may read.
package struct SecretFind: Sendable, Hashable {
    /// What it opens, such as `a private key`.
    package let kind: String
    /// How it begins: enough to find it, too little to use it.
    package let start: String

    private static let tokens: [(kind: String, prefix: String, length: Int)] = [
        ("a GitHub token", "ghp_", 40), ("a GitHub token", "gho_", 40), ("a GitHub token", "ghu_", 40),
        ("a GitHub token", "ghs_", 40), ("a GitHub token", "ghr_", 40), ("a GitHub token", "github_pat_", 50),
        ("a GitLab token", "glpat-", 26), ("a Slack token", "xoxb-", 24), ("a Slack token", "xoxp-", 24),
        ("a Slack token", "xoxa-", 24), ("a Slack token", "xoxr-", 24), ("a Slack token", "xoxs-", 24),
        ("a Stripe key", "sk_live_", 24), ("a Stripe key", "rk_live_", 24), ("an Anthropic key", "sk-ant-", 40),
        ("an OpenAI key", "sk-proj-", 40), ("an OpenAI key", "sk-", 43), ("an npm token", "npm_", 40),
        ("a Hugging Face token", "hf_", 37), ("a DigitalOcean token", "dop_v1_", 71), ("an AWS key", "AKIA", 20),
        ("an AWS key", "ASIA", 20),
    ]

    /// Each once.
    static func finds(in text: String) -> [SecretFind] {
        let bytes = ByteText(text)
        var found: [SecretFind] = []
        func note(_ kind: String, _ start: String) {
            let find = SecretFind(kind: kind, start: start + "…")
            if !found.contains(find), found.count < 50 { found.append(find) }
        }
        for place in bytes.places(of: "-----BEGIN ", limit: 50) {
            let line = bytes.text(place..<place + 80).prefix { $0 != "\n" && $0 != "\r" }
            if line.contains("PRIVATE KEY-----") { note("a private key", String(line.prefix(40))) }
        }
        for token in tokens {
            for place in bytes.places(of: token.prefix, limit: 50) {
                if let before = bytes[place - 1], before.isASCIILetterOrDigit || before == 0x5f { continue }
                let length = bytes.length(ofWordAt: place)
                guard length >= token.length else { continue }
                let word = bytes.text(place..<place + length)
                if token.kind == "an AWS key" {
                    guard length == 20, word.utf8.allSatisfy({ !(0x61...0x7a).contains($0) }) else { continue }
                }
                // `sk-` begins class names too; a key has digits and letters of both kinds.
                guard word.contains(where: \.isNumber) else { continue }
                if token.prefix == "sk-" {
                    if word.hasPrefix("sk-ant-") || word.hasPrefix("sk-proj-") { continue }
                    guard word.contains(where: \.isUppercase), word.contains(where: \.isLowercase) else { continue }
                }
                note(token.kind, bytes.text(place..<place + token.prefix.utf8.count + 4))
            }
        }
        for place in bytes.places(of: "://", limit: 2000) {
            guard let find = login(at: place, in: bytes) else { continue }
            note("a password in an address", find)
        }
        return found
    }

    /// `scheme://user:password@host`.
    private static func login(at place: Int, in bytes: ByteText) -> String? {
        var end = place + 3
        var colon: Int?
        while let byte = bytes[end], byte > 0x20, ![0x2f, 0x22, 0x27, 0x3c, 0x3e, 0x3f, 0x23, 0x60].contains(byte) {
            if byte == 0x3a, colon == nil { colon = end }
            if byte == 0x40 {
                guard let colon, end - colon > 4, colon > place + 3 else { return nil }
                let password = bytes.text(colon + 1..<end).lowercased()
                // What documentation writes where the real one belongs.
                guard !["password", "pass", "secret", "passwd"].contains(password), !password.hasPrefix("$"),
                    !password.hasPrefix("{"), !password.hasPrefix("***")
                else { return nil }
                return bytes.text(max(0, place - 10)..<colon).split(whereSeparator: { " \"'=(".contains($0) }).last
                    .map(String.init)
            }
            end += 1
            if end - place > 300 { return nil }
        }
        return nil
    }
}
