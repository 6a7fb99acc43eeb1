import Database

/// The values between the brackets of an `IN (…)`.
///
/// The last one is repeated until there are 1, 2, 4, 8 … of them, so that lists of all lengths are few statements to
/// prepare. At least one value, and few enough for both databases.
struct ValueList {
    /// Such as `$2, $3`.
    let places: String
    let parameters: [SQLValue]

    /// - Parameter first: the number of the first place.
    init(_ values: [SQLValue], from first: Int = 1) {
        precondition(!values.isEmpty && values.count <= 1000, "a list of values has 1 to 1,000")
        var padded = values
        while padded.count & (padded.count - 1) != 0 { padded.append(values[values.count - 1]) }
        parameters = padded
        places = padded.indices.map { "$\($0 + first)" }.joined(separator: ", ")
    }
}
