import Domain
import Testing

@testable import Redis

@Suite struct RedisAddressTests {
    @Test("Addresses are read in all their forms")
    func forms() throws {
        #expect(try RedisAddress("redis://cache").place == .server(.network(host: "cache", port: 6379)))
        let tls = try RedisAddress("rediss://ann@[::1]:7000/3?ca=/etc/ca.pem")
        #expect(tls.place == .server(.network(host: "::1", port: 7000)))
        #expect(tls.user == "ann" && tls.database == 3 && tls.isEncrypted && tls.trustFile == "/etc/ca.pem")
        let socket = try RedisAddress("redis+unix:///run/redis.sock?db=2&user=ann")
        #expect(socket.place == .server(.socket(path: "/run/redis.sock")))
        #expect(socket.database == 2 && socket.user == "ann" && !socket.isEncrypted)
        let sentinels = try RedisAddress("redis+sentinel://one,two:26380/main/1")
        #expect(
            sentinels.place
                == .sentinels(
                    [.network(host: "one", port: 26_379), .network(host: "two", port: 26_380)], master: "main"))
        #expect(sentinels.database == 1)
    }

    @Test(
        "What is no address is refused with the way to write one",
        arguments: [
            "", "cache:6379", "http://cache", "redis://", "redis://cache:0", "redis://cache:70000", "redis://cache/x",
            "redis://cache/1/2", "redis+sentinel://one,two", "redis+sentinel://one,,two/main", "redis+unix://x.sock",
            "redis://cache?password=x", "redis://a b",
        ])
    func refused(text: String) {
        let error = #expect(throws: ServiceError.self) { try RedisAddress(text) }
        #expect(error?.nextStep != nil)
    }

    @Test("A password in the address is refused, and not repeated")
    func password() {
        let error = #expect(throws: ServiceError.self) { try RedisAddress("redis://ann:verysecret@cache") }
        #expect(error?.nextStep?.contains("redis.password-file") == true)
        #expect(error.map { "\($0)".contains("verysecret") } == false)
        let malformed = #expect(throws: ServiceError.self) { try RedisAddress("redis://:verysecret@cache:99999/0") }
        #expect(malformed.map { "\($0)".contains("verysecret") } == false)
    }
}
