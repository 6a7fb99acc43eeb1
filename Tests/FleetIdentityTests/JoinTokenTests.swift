import Domain
import FleetIdentity
import Testing

struct JoinTokenTests {
    let pin = PublicKeyPin(String(repeating: "0f", count: 32))!

    @Test("A token reads back as it was written")
    func roundTrip() throws {
        for _ in 0..<100 {
            let token = JoinToken(pin: pin)
            let read = try JoinToken(token.text)
            #expect(read.text == token.text)
            #expect(read.pin == pin)
            #expect(read.secret.digest == token.secret.digest)
            #expect(try JoinToken.Secret(token.secret.text).digest == token.secret.digest)
        }
    }

    @Test("A secret matches its own hash and no other")
    func matching() {
        let secret = JoinToken.Secret()
        #expect(secret.matches(secret.digest))
        #expect(!secret.matches(JoinToken.Secret().digest))
        #expect(!secret.matches(""))
        #expect(!secret.matches(String(secret.digest.dropLast(2))))
        #expect(!secret.matches(secret.digest.uppercased() + "x"))
    }

    @Test("A secret does not show in logs")
    func description() {
        let token = JoinToken(pin: pin)
        #expect(!"\(token)".contains(token.secret.text))
        #expect(!"\(token.secret)".contains(token.secret.text))
    }

    @Test("Damaged tokens are refused with a next step")
    func damaged() {
        let good = JoinToken(pin: pin).text
        let parts = good.split(separator: ".").map(String.init)
        for text in [
            "", "pwj1", "pwj1..", "pwj2.\(parts[1]).\(parts[2])", String(good.dropLast()), good + "0", " " + good,
            "pwj1.\(parts[1])=.\(parts[2])", "pwj1.\(parts[1].dropLast()).\(parts[2])",
            "pwj1.\(parts[1].dropLast())*.\(parts[2])", "pwj1.\(parts[1]).\(parts[2].uppercased())", good + ".",
            "pwj1.\(String(repeating: "_", count: 43)).\(parts[2])",
        ] {
            let error = #expect(throws: ServiceError.self, "\(text)") { try JoinToken(text) }
            #expect(error?.nextStep != nil)
            #expect(error?.rule == "token-format")
        }
    }
}
