extension String {
    /// Without `%41` and its like (RFC 3986); `nil` when a `%` is not followed by two digits, or for what is not UTF-8.
    var removingPercents: String? {
        var bytes: [UInt8] = []
        var source = utf8.makeIterator()
        while let byte = source.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = source.next(), let low = source.next(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16), high != UInt8(ascii: "+")
            else { return nil }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// With everything but letters, digits and `-._~` and, on request, `/` as `%41` and its like.
    func addingPercents(keepingSlashes: Bool = false) -> String {
        var encoded = ""
        for byte in utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e:
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            case 0x2f where keepingSlashes: encoded += "/"
            default: encoded += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }
}
