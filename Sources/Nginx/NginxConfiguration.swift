/// The text of nginx's configuration: one catch-all server over a farm of symbolic links.
///
/// Nothing in it names a site. Which names exist, what they show, and whether a site is closed for maintenance is read
/// from the file system by each request, so that sites come, change and go without a reload.
///
/// What the links must look like (the caller keeps this bargain):
/// - `<domains>/<name>` leads, through as many links as it likes, to a folder `…/g<digits>-<12 hex>/<role>-<12 hex>`;
/// - `role` is `live`, `preview`, `maintenance` or `nothing`, and `live-spa` or `preview-spa` for a site whose addresses
///   without a file show `index.html`; the 12 digits go out as `X-Pagewright-Version`;
/// - beside that folder `live` and `preview` lead to content, `previous` to what was live before, and
///   `maintenance.html` is the page of a closed site, and `missing-live.html` and `missing-preview.html`, where they are
///   there, are shown for addresses without a page.
///
/// The folder `g…` never changes once a link leads to it. A request resolves the name once and takes everything else
/// from there, so it sees one generation and never a mix of two.
package struct NginxConfiguration: Sendable, Equatable {
    /// The header that says which version a visitor saw.
    package static let versionHeader = "X-Pagewright-Version"
    /// The name of the server that only tells which configuration is in force.
    package static let controlHost = "pagewright-control.invalid"

    /// The host farm: one link for each name.
    package var domains: String
    /// Where the built-in pages are.
    package var pages: String
    package var listen: [NginxListenAddress]
    package var workers: Int
    /// Which configuration this is; the control server answers with it.
    package var generation: Int
    /// The path at which the control server answers; not guessable.
    package var controlToken: String
    /// Who the workers are, when the master is root.
    package var user: String?
    package var openFiles: Int
    /// How many requests a second one visitor may send to one site, with five times as many at once; 0 is without a
    /// limit. Who comes from this machine itself has none: that may be a proxy which speaks for many.
    package var visitorRate: Int

    package init(
        domains: String, pages: String, listen: [NginxListenAddress], workers: Int = 2, generation: Int,
        controlToken: String, user: String? = nil, openFiles: Int = 4096, visitorRate: Int = 0
    ) {
        self.domains = domains
        self.pages = pages
        self.listen = listen
        self.workers = workers
        self.generation = generation
        self.controlToken = controlToken
        self.user = user
        self.openFiles = openFiles
        self.visitorRate = visitorRate
    }

    /// For an nginx of our own; relative paths are within its folder.
    package var rendered: String {
        """
        # Written by pagewright-agent; changes are overwritten.
        daemon off;
        \(user.map { "user \($0);\n" } ?? "")pid nginx.pid;
        error_log error.log error;
        worker_processes \(workers);
        worker_rlimit_nofile \(openFiles);
        worker_shutdown_timeout 10s;
        events { worker_connections \(max(64, openFiles / 4)); }
        http {
        client_body_temp_path tmp/b; proxy_temp_path tmp/p; fastcgi_temp_path tmp/f;
        uwsgi_temp_path tmp/u; scgi_temp_path tmp/s;
        map_hash_bucket_size 128;
        \(site)
        }

        """
    }

    /// For the machine's nginx, within its `http { }`.
    package var renderedInclude: String { "# Written by pagewright-agent; changes are overwritten.\n\(site)\n" }

    /// This configuration with the generation and the token of an include that was written before; `nil` when `text` is
    /// not what this one would write then.
    func asFound(in text: String) -> NginxConfiguration? {
        // location = /TOKEN { default_type text/plain; return 200 "GENERATION $pid\n"; }
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 11, words[0] == "location", words[7] == "200", words[9].hasPrefix("$pid"),
                let generation = Int(words[8].dropFirst())
            else { continue }
            var candidate = self
            candidate.controlToken = String(words[2].dropFirst())
            candidate.generation = generation
            return candidate.renderedInclude == text ? candidate : nil
        }
        return nil
    }

    private func listens(_ suffix: String) -> String {
        listen.map { "listen \($0)\(suffix);" }.joined(separator: "\n  ")
    }

    private var site: String { maps + "\n" + server + "\n" + control }

    /// What counts the requests of visitors, and what refuses those that are too many.
    private var limit: (zone: String, rule: String) {
        guard visitorRate > 0 else { return ("", "") }
        return (
            #"""

            map $remote_addr $pw_visitor { default "$binary_remote_addr$host"; "~^(?:127\.0\.0\.1|::1)$" ""; }
            limit_req_zone $pw_visitor zone=pagewright_visitors:8m rate=\#(visitorRate)r/s;
            """#,
            """

              limit_req zone=pagewright_visitors burst=\(visitorRate * 5) nodelay; limit_req_status 429;
              limit_req_log_level warn;
            """
        )
    }

    private var maps: String {
        #"""
        # Only a well-formed name in lower case may become the name of a file.
        map $host $pw_name { default ""; "~^(?=.{4,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$" $host; }
        # The name is resolved once for a request; the value is kept, and everything else is derived from it.
        map $realpath_root $pw_shown { default ""; "~^(?<pw_generation>/.+/g[0-9]{8,}-[0-9a-f]{12})/(?<pw_role>live|preview|maintenance|nothing)(?<pw_mode>-spa)?-(?<pw_version>[0-9a-f]{12})$" $pw_generation/$pw_role; }
        # An address that could be a page, of a site whose script reads addresses. For the others, what was looked for already.
        map "$pw_mode$uri" $pw_page { default $uri/index.html; "~^-spa/(?:.*/)?[^./]*$" /index.html; }
        map $pw_role $pw_fallback { default $pw_generation/none; live $pw_generation/previous; }
        map $pw_role $pw_robots { default ""; preview "noindex, nofollow"; }
        map "$pw_role $status" $pw_cache { default no-store; "~^live (?:200|206|304)$" "public, max-age=0, must-revalidate"; }
        map $status $pw_retry { default ""; 429 5; 503 60; }\#(limit.zone)
        """#
    }

    private var server: String {
        #"""
        server {
          \#(listens(" default_server"))
          server_name _;
          \#(NginxContentTypes.rendered)
          charset utf-8; server_tokens off; access_log off; log_not_found off;
          sendfile on; tcp_nopush on; keepalive_timeout 30s; reset_timedout_connection on;
          client_max_body_size 1k; client_header_timeout 10s; client_body_timeout 10s; send_timeout 30s;
          gzip on; gzip_comp_level 2; gzip_min_length 1400; gzip_vary on;\#(limit.rule)
          # The time of a file is a fingerprint of its content: it serves as a validator and says nothing as a date.
          etag on; if_modified_since off;
          absolute_redirect off;

          add_header Last-Modified "";
          add_header Cache-Control $pw_cache always;
          add_header \#(Self.versionHeader) $pw_version always;
          add_header X-Robots-Tag $pw_robots always;
          add_header Retry-After $pw_retry always;
          add_header X-Content-Type-Options nosniff always;
          add_header Referrer-Policy strict-origin-when-cross-origin always;

          root "\#(domains)/$pw_name";
          if ($pw_name = "") { return 421; }
          if (!-d $document_root) { return 421; }
          if ($pw_shown = "") { return 421; }
          if ($pw_role = maintenance) { return 503; }
          error_page 403 404 @missing;
          error_page 421 @misdirected;
          error_page 429 @limited;
          error_page 503 @closed;

          location ~ /\.(?!well-known/) { return 404; }
          # Assets named after their content: a page that was opened before the last release still finds its own.
          location ~ "[.-][0-9a-f]{8,64}\.(?:js|mjs|css|map|woff2?|png|jpe?g|gif|webp|avif|svg|wasm)$" {
            root $pw_shown; disable_symlinks on from=$pw_shown; try_files $uri @previous;
          }
          location ~ /$ { root $pw_shown; disable_symlinks on from=$pw_shown; try_files "${uri}index.html" $pw_page =404; }
          location / { root $pw_shown; disable_symlinks on from=$pw_shown; try_files $uri @noslash; }
          location @noslash {
            root $pw_shown; disable_symlinks on from=$pw_shown;
            if (-f $pw_shown$uri/index.html) { rewrite ^(.+)$ $1/ permanent; }
            try_files $uri.html $pw_page =404;
          }
          location @previous { root $pw_fallback; disable_symlinks on from=$pw_fallback; try_files $uri =404; }
          location @missing { root $pw_generation; disable_symlinks on from=$pw_generation; try_files /missing-$pw_role.html @missing_own; }
          location @missing_own { root $pw_shown; disable_symlinks on from=$pw_shown; try_files /404.html @missing_page; }
          location @missing_page { root "\#(pages)"; try_files /404.html =404; }
          location @misdirected { root "\#(pages)"; try_files /421.html =421; }
          location @limited { root "\#(pages)"; try_files /429.html =429; }
          location @closed { root $pw_generation; disable_symlinks on from=$pw_generation; try_files /maintenance.html @closed_page; }
          location @closed_page { root "\#(pages)"; try_files /503.html =503; }
        }
        """#
    }

    private var control: String {
        """
        server {
          \(listens(""))
          server_name \(Self.controlHost);
          access_log off; server_tokens off;
          location = /\(controlToken) { default_type text/plain; return 200 "\(generation) $pid\\n"; }
          location / { return 421; }
        }
        """
    }
}
