import Domain
import Testing

@testable import ArtifactsS3

@Suite("The address of a bucket")
struct S3LocationTests {
    @Test("Is Amazon's when nothing else is said, with the bucket in the host name")
    func amazon() throws {
        let location = try S3Location("s3://my-bucket?region=eu-central-1")
        #expect(location.authority == "my-bucket.s3.eu-central-1.amazonaws.com")
        #expect(location.scheme == "https")
        #expect(location.path(of: "a b") == "/a%20b")
        #expect(location.path(of: nil) == "/")
        #expect(location.prefix == "")
    }

    @Test("May name a server, a place in the bucket, and who vouches for the server")
    func ownServer() throws {
        let location = try S3Location(
            "s3://blobs/one/two/?endpoint=https%3A%2F%2Fs3.example.org:9000/&region=garage&ca=/etc/ca.pem")
        #expect(location.prefix == "one/two/")
        #expect(location.authority == "s3.example.org:9000")
        #expect(location.path(of: "one/x") == "/blobs/one/x")
        #expect(location.path(of: nil) == "/blobs")
        #expect(location.region == "garage")
        #expect(location.authorityFile == "/etc/ca.pem")
        let host = try S3Location("s3://blobs?endpoint=http://[::1]:80&style=host")
        #expect(host.authority == "blobs.[::1]")
        #expect(host.path(of: "k") == "/k")
    }

    @Test("Is shown so that it can be given again")
    func description() throws {
        for text in ["s3://bkt/p?endpoint=http://127.0.0.1:9&region=r&style=path", "s3://bkt/?style=host&region=x"] {
            let location = try S3Location(text)
            #expect(try S3Location(location.description) == location)
        }
    }

    @Test(
        "Is refused when it cannot be one",
        arguments: [
            "", "http://bucket", "s3://", "s3://ab", "s3://UPPER", "s3://bkt/../x", "s3://bkt/a b",
            "s3://bkt?endpoint=ftp://x",
            "s3://bkt?endpoint=https://", "s3://bkt?endpoint=https://a/b", "s3://bkt?endpoint=https://a:99999",
            "s3://bkt?style=odd", "s3://bkt?secret=x", "s3://bkt?region=", "s3://bkt?endpoint=http://u:p@h",
        ])
    func refused(text: String) throws {
        let error = #expect(throws: ServiceError.self) { try S3Location(text) }
        #expect(error?.rule == "s3-address")
        #expect(error?.nextStep?.contains("s3://bucket/prefix") == true)
    }

    @Test("Keys never show in a description")
    func secrets() throws {
        let credentials = try S3Credentials(accessKey: "AKIDEXAMPLE", secretKey: "very-secret", sessionToken: "tok")
        #expect("\(credentials)" == "the access key AKID…")
        #expect(throws: ServiceError.self) { try S3Credentials(accessKey: "a", secretKey: "b\nc") }
    }

    @Test("Keys are read from a file as Amazon's tools write it, the first section of it")
    func file() throws {
        let text = """
            [default]
            aws_access_key_id = ONE
            aws_secret_access_key=two=2
            aws_session_token = three
            [other]
            aws_access_key_id = FOUR
            """
        let credentials = try S3Credentials(iniText: text, path: "keys")
        #expect(credentials == (try S3Credentials(accessKey: "ONE", secretKey: "two=2", sessionToken: "three")))
        #expect(throws: ServiceError.self) { try S3Credentials(iniText: "nothing", path: "keys") }
    }
}

@Suite("What S3 says")
struct S3DocumentTests {
    @Test("Is read with its entities, comments and empty elements")
    func document() throws {
        let text = """
            <?xml version="1.0"?>
            <!-- a > comment -->
            <List xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>a&amp;b &#34;&#x41;&lt;</Name><Empty/>
            <Item><Key>1</Key></Item><Item><Key>2</Key></Item></List>
            """
        let document = try #require(S3Document(text.utf8))
        #expect(document.name == "List")
        #expect(document["Name"] == "a&b \"A<")
        #expect(document["Empty"] == "")
        #expect(document.all("Item").map { $0["Key"] } == ["1", "2"])
    }

    @Test(
        "Is passed over when it is no such document",
        arguments: [
            "", "text", "<a>", "<a></b>", "<a", "</a>", "<!DOCTYPE a [<!ENTITY x \"y\">]><a/>", "<a/>", "<>", "<!-- x",
            String(repeating: "<a>", count: 100),
        ])
    func noDocument(text: String) {
        #expect(S3Document(text.utf8) == nil)
    }

    @Test("Has times that are read to the second")
    func times() {
        let time = Timestamp(millisecondsSinceEpoch: 1_795_276_130_000)
        #expect(S3Time.parsed(http: "Sat, 21 Nov 2026 15:48:50 GMT") == time)
        #expect(S3Time.parsed(iso: "2026-11-21T15:48:50Z") == time)
        #expect(S3Time.parsed(iso: "2026-11-21T15:48:50.123Z") == time)
        #expect(S3Time.parsed(iso: "2024-02-29T00:00:00Z")?.description == "2024-02-29T00:00:00.000Z")
        for text in ["", "x", "2026-13-01T00:00:00Z", "Sat, 21 Xxx 2026 15:48:50 GMT", "2026-11-21T25:00:00Z"] {
            #expect(S3Time.parsed(http: text) == nil)
            #expect(S3Time.parsed(iso: text) == nil)
        }
    }

    @Test(
        "Binary values go into headers as base64",
        arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foobar", "Zm9vYmFy")])
    func base64(text: String, expected: String) {
        #expect(S3Encoding.base64(Array(text.utf8)) == expected)
    }

    @Test("A pause doubles, differs, keeps what the server asks for, and has an end")
    func backoff() {
        var generator = SystemRandomNumberGenerator()
        for failures in 1...12 {
            let pause = S3Backoff.patient.pause(after: failures, asked: nil, using: &generator)
            let doubled = min(Duration.seconds(5), .milliseconds(100) * (1 << min(10, failures - 1)))
            #expect(pause >= doubled / 2 && pause <= doubled)
        }
        #expect(S3Backoff.brisk.pause(after: 1, asked: .seconds(3), using: &generator) == .seconds(3))
        #expect(S3Backoff.brisk.pause(after: 1, asked: .seconds(30), using: &generator) == .seconds(5))
    }
}

@Suite("A failure of the store")
struct S3FailureTests {
    @Test(
        "Is told as a sentence with a next step",
        arguments: [
            (404, "NoSuchBucket", "s3-bucket-missing", "there is no bucket bkt"),
            (301, "PermanentRedirect", "s3-wrong-region", "not in the region us-east-1 but in eu-west-3"),
            (400, "AuthorizationHeaderMalformed", "s3-wrong-region", "but in eu-west-3"),
            (403, "InvalidAccessKeyId", "s3-wrong-key", "does not know the access key AKID…"),
            (403, "SignatureDoesNotMatch", "s3-wrong-secret", "the secret key does not fit"),
            (403, "AccessDenied", "s3-access-denied", "refuses put"),
            (403, "", "s3-access-denied", "refuses put"),
            (400, "ExpiredToken", "s3-token-over", "session token"),
            (403, "RequestTimeTooSkewed", "s3-clock-skew", "120 s behind that of the store"),
            (507, "", "s3-out-of-space", "no room left"),
            (403, "QuotaExceeded", "s3-out-of-space", "no room left"),
            (503, "SlowDown", "s3-unavailable", "does not do its work now"),
            (418, "Teapot", "s3-refused", "refused put"),
        ])
    func sentences(status: Int, code: String, rule: String, words: String) throws {
        let serverTime = Timestamp(millisecondsSinceEpoch: 1_795_276_130_000)
        let failure = S3Failure(
            .put, status: status, headers: ["date": "Sat, 21 Nov 2026 15:48:50 GMT"],
            body: "<Error><Code>\(code)</Code><Region>eu-west-3</Region><Message>m</Message></Error>".utf8)
        let error = ServiceError(
            failure, at: try S3Location("s3://bkt?endpoint=http://s3.example.org"),
            with: try S3Credentials(accessKey: "AKIDEXAMPLE", secretKey: "hidden-secret"),
            now: serverTime + .seconds(-120))
        #expect(error.rule == rule)
        #expect(error.message.contains(words), "\(error.message)")
        #expect(error.nextStep?.isEmpty == false)
        #expect(!"\(error)".contains("hidden-secret"))
    }

    @Test("Is worth another try only when it can pass")
    func transient() {
        func isTransient(_ status: Int, _ code: String = "") -> Bool {
            S3Failure(.get, status: status, headers: [:], body: "<Error><Code>\(code)</Code></Error>".utf8).isTransient
        }
        for status in [408, 409, 429, 500, 502, 503, 504] { #expect(isTransient(status)) }
        for status in [301, 400, 401, 403, 404, 412, 501, 507] { #expect(!isTransient(status)) }
        #expect(isTransient(400, "BadDigest") && isTransient(400, "RequestTimeout"))
    }
}
