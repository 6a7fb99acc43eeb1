import Foundation
import Testing

@testable import RESTAPI

@Suite struct JSONTests {
    @Test(
        "What is written is read back, also by another reader",
        arguments: [
            JSONValue.null, true, 0, -9_223_372_036_854_775_808, "",
            "line\nbreak \u{1}\u{7f} \"quotes\" \\ é 🙂 \u{2028}",
            [1, [2, []], "x"], ["a": ["b": .null], "": "", "é": 1] as JSONValue, .number(1.5), .number(-2e-7),
        ] as [JSONValue])
    func roundTrip(value: JSONValue) throws {
        let bytes = JSONWriter.bytes(of: value)
        #expect(try JSONParser.parse(bytes) == value)
        let other = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
        if case .string(let text) = value { #expect(other as? String == text) }
    }

    @Test(
        "What is not JSON is refused",
        arguments: [
            "", " ", "{", "[", "\"", "tru", "01", "1.", ".5", "+1", "1e", "-", "--1", "1e999", "{\"a\"}", "{a:1}",
            "[1 2]",
            "{\"a\":1,}", "\"\\x\"", "\"\\u12\"", "\"\\u+123\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"a\u{1}b\"",
            "nul",
            "NaN", "'a'", "// x\n1", "\u{feff}1",
        ])
    func refused(text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test("Text that is not UTF-8 is refused")
    func encoding() {
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse([0x22, 0xff, 0x22]) }
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse([0x22, 0xed, 0xa0, 0x80, 0x22]) }
    }

    @Test("Any bytes are read or refused, never a trap")
    func mutations() {
        let source = Array(#"{"a":[1,-2.5e3,"x\u00e9\ud83d\ude00\n"],"b":{"c":null,"d":true}}"#.utf8)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var bytes = source
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = .random(in: .min ... .max, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes = Array(bytes[..<place])
                }
                if bytes.isEmpty { break }
            }
            _ = try? JSONParser.parse(bytes)
        }
    }

    @Test("Percent encoding is undone strictly")
    func percentEncoding() {
        #expect(PercentEncoding.decoded("a%20b%C3%BC") == "a bü")
        #expect(PercentEncoding.decoded("plain+text") == "plain+text")
        for bad in ["%", "%2", "%zz", "%ff", "a%"] { #expect(PercentEncoding.decoded(bad) == nil) }
        #expect(PercentEncoding.encoded("a b/ü.html") == "a%20b%2F%C3%BC.html")
    }
}
