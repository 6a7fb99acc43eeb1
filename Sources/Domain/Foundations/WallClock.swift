/// Where use cases get the time from. Tests pass one that they turn by hand.
package protocol WallClock: Sendable {
    func now() -> Timestamp
}
