/// What the names of files say about what is in them.
enum NginxContentTypes {
    private static let table: [(type: String, extensions: String)] = [
        ("text/html", "html htm"),
        ("text/css", "css"),
        ("text/javascript", "js mjs"),
        ("application/json", "json map"),
        ("application/ld+json", "jsonld"),
        ("application/manifest+json", "webmanifest"),
        ("application/xml", "xml xsl"),
        ("application/atom+xml", "atom"),
        ("application/rss+xml", "rss"),
        ("text/plain", "txt text rst md log"),
        ("text/csv", "csv"),
        ("text/calendar", "ics"),
        ("text/vcard", "vcf"),
        ("text/vtt", "vtt"),
        ("image/svg+xml", "svg"),
        ("image/png", "png"),
        ("image/jpeg", "jpg jpeg"),
        ("image/gif", "gif"),
        ("image/webp", "webp"),
        ("image/avif", "avif"),
        ("image/bmp", "bmp"),
        ("image/tiff", "tif tiff"),
        ("image/x-icon", "ico"),
        ("font/woff", "woff"),
        ("font/woff2", "woff2"),
        ("font/ttf", "ttf"),
        ("font/otf", "otf"),
        ("application/vnd.ms-fontobject", "eot"),
        ("audio/mpeg", "mp3"),
        ("audio/ogg", "ogg oga opus"),
        ("audio/wav", "wav"),
        ("audio/mp4", "m4a"),
        ("video/mp4", "mp4 m4v"),
        ("video/webm", "webm"),
        ("video/quicktime", "mov"),
        ("application/pdf", "pdf"),
        ("application/epub+zip", "epub"),
        ("application/wasm", "wasm"),
        ("application/zip", "zip"),
        ("application/gzip", "gz tgz"),
        ("application/octet-stream", "inv bin exe dmg iso"),
    ]

    /// Types that get `charset=utf-8`, and that are worth compressing.
    private static let texts =
        "text/css text/javascript text/plain text/csv text/calendar text/vcard text/vtt application/json "
        + "application/ld+json application/manifest+json application/xml application/atom+xml application/rss+xml "
        + "image/svg+xml"

    static var rendered: String {
        let types = table.map { "    \($0.type) \($0.extensions);" }.joined(separator: "\n")
        return """
            types {
            \(types)
              }
              default_type application/octet-stream;
              charset_types \(texts);
              gzip_types \(texts) application/wasm font/ttf font/otf image/x-icon;
            """
    }
}
