import Domain
import NIOCore
import NIOHTTP1
import Testing

@testable import ArtifactsS3

/// The examples that Amazon publishes for Signature Version 4 with S3.
@Suite("A signature")
struct S3SignerTests {
    private static let host = "examplebucket.s3.amazonaws.com"
    /// 24 May 2013, midnight.
    private static let midnight = Timestamp(millisecondsSinceEpoch: 1_369_353_600_000)

    private func signer(token: String? = nil) throws -> S3Signer {
        S3Signer(
            credentials: try S3Credentials(
                accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                sessionToken: token),
            region: "us-east-1")
    }

    private func authorization(_ request: S3Request, path: String) throws -> String {
        let headers = try signer().headers(for: request, path: path, authority: Self.host, at: Self.midnight)
        return try #require(headers.last { $0.name == "authorization" }).value
    }

    @Test("Is Amazon's for GET Object with a range")
    func getObject() throws {
        var request = S3Request(.get, .GET, key: "test.txt")
        request.headers = [("range", "bytes=0-9")]
        #expect(
            try authorization(request, path: "/test.txt")
                == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        )
    }

    @Test("Is Amazon's for PUT Object with a key that must be encoded")
    func putObject() throws {
        var request = S3Request(.put, .PUT, key: "test$file.text")
        request.headers = [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")]
        request.bodyHash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
        let path = "/" + S3Encoding.encoded("test$file.text", keepingSlashes: true)
        #expect(
            try authorization(request, path: path).hasSuffix(
                "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
            ))
    }

    @Test("Is Amazon's for a query without a value, and for one with two")
    func queries() throws {
        var lifecycle = S3Request(.list, .GET, key: nil)
        lifecycle.query = [("lifecycle", "")]
        #expect(
            try authorization(lifecycle, path: "/").hasSuffix(
                "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"))
        var list = S3Request(.list, .GET, key: nil)
        list.query = [("prefix", "J"), ("max-keys", "2")]
        #expect(
            try authorization(list, path: "/").hasSuffix(
                "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"))
    }

    @Test("Is Amazon's for an address that lets anybody GET for a day")
    func presigned() throws {
        let query = try signer().presignedQuery(
            path: "/test.txt", authority: Self.host, lifetime: .seconds(86_400), at: Self.midnight)
        #expect(
            query
                == "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        )
    }

    @Test("Covers a session token")
    func sessionToken() throws {
        let request = S3Request(.get, .GET, key: "test.txt")
        let headers = try signer(token: "TOKEN").headers(
            for: request, path: "/test.txt", authority: Self.host, at: Self.midnight)
        #expect(headers.contains { $0.name == "x-amz-security-token" && $0.value == "TOKEN" })
        #expect(headers.last?.value.contains("x-amz-date;x-amz-security-token,") == true)
        let query = try signer(token: "TO/KEN").presignedQuery(
            path: "/test.txt", authority: Self.host, lifetime: .seconds(60), at: Self.midnight)
        #expect(query.contains("X-Amz-Security-Token=TO%2FKEN&X-Amz-SignedHeaders=host&X-Amz-Signature="))
    }
}
