/// Which files a static site may have. The list is published in `docs/validation.md`; a test compares the two.
package enum FileTypes {
    /// Extensions, by what they are for.
    package static let allowed: [(purpose: String, extensions: [String])] = [
        ("Pages", ["html", "htm", "xhtml"]),
        ("Style sheets and scripts", ["css", "js", "mjs", "cjs", "map", "wasm"]),
        (
            "Data",
            [
                "json", "jsonld", "json5", "geojson", "topojson", "ndjson", "csv", "tsv", "xml", "xsl", "xslt", "xsd",
                "dtd",
                "rss", "atom", "yaml", "yml", "toml", "ini", "webmanifest", "manifest", "appcache", "inv", "bib", "vcf",
                "ics", "kml", "kmz",
                "gpx", "proto", "graphql", "sqlite", "db", "parquet",
            ]
        ),
        ("Text", ["txt", "text", "md", "markdown", "rst", "adoc", "org", "tex", "log", "diff", "patch", "vtt", "srt"]),
        (
            "Images",
            [
                "png", "apng", "jpg", "jpeg", "jpe", "jfif", "gif", "webp", "avif", "jxl", "heic", "heif", "svg",
                "svgz", "ico", "cur",
                "bmp", "tif", "tiff", "eps", "ps", "psd", "ai",
            ]
        ),
        ("Fonts", ["woff", "woff2", "ttf", "otf", "ttc", "eot"]),
        (
            "Sound and film",
            [
                "mp3", "m4a", "aac", "oga", "ogg", "opus", "wav", "flac", "mid", "midi", "weba", "mp4", "m4v", "mov",
                "webm",
                "ogv", "avi", "mkv", "mpg", "mpeg", "m3u8", "ts", "mpd",
            ]
        ),
        ("Three dimensions", ["glb", "gltf", "obj", "mtl", "stl", "usdz", "hdr", "bin", "ktx2", "basis"]),
        (
            "Documents",
            [
                "pdf", "epub", "mobi", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp", "rtf", "pages",
                "numbers",
                "key", "djvu", "dvi", "ipynb",
            ]
        ),
        (
            "Archives and downloads",
            [
                "zip", "gz", "tgz", "bz2", "tbz", "xz", "txz", "zst", "7z", "rar", "tar", "br", "jar", "apk",
                "dmg", "deb", "rpm", "iso", "exe", "msi", "torrent", "sig", "asc", "sha256", "sha512", "md5", "crt",
                "cer", "pub",
            ]
        ),
        (
            "Source text, for reading and download; never run here",
            [
                "py", "pyi", "rb", "sh", "bash", "c", "h", "cc", "cpp", "hpp", "cs", "java",
                "kt", "swift", "go", "rs", "lua", "r", "m", "sql", "tsx", "jsx", "vue", "svelte", "scss", "sass",
                "less", "styl", "coffee", "bat",
                "ps1", "cfg", "conf", "properties", "gradle", "mk", "cmake", "dot", "puml",
            ]
        ),
    ]

    /// Names without an extension are downloads (`LICENSE`, `CNAME`), unless they are one of these.
    package static let refusedNames: Set<String> = ["web.config", "php.ini", "user.ini"]

    /// Programs that a server would run. We run none, and sending them would show their source.
    package static let serverPrograms: Set<String> = [
        "php", "php3", "php4", "php5", "php7", "php8", "phps", "pht", "phtml", "phar", "cgi", "fcgi", "pl", "pm", "jsp",
        "jspx",
        "jspf", "do", "action", "asp", "aspx", "asa", "asax", "ascx", "ashx", "asmx", "cshtml", "vbhtml", "cfm", "cfc",
        "shtml", "shtm", "stm",
        "htaccess", "htpasswd", "erb", "ejs", "wsgi",
    ]

    private static let allowedExtensions = Set(allowed.flatMap(\.extensions))

    static func isAllowed(_ fileExtension: String) -> Bool {
        fileExtension.isEmpty || allowedExtensions.contains(fileExtension)
    }
}
