import Domain

/// An instant of a simulated clock, in milliseconds.
package struct Moment: InstantProtocol {
    package var milliseconds: Int64

    package func advanced(by duration: Duration) -> Moment {
        Moment(milliseconds: milliseconds + duration.wholeMilliseconds)
    }

    package func duration(to other: Moment) -> Duration { .milliseconds(other.milliseconds - milliseconds) }

    package static func < (left: Moment, right: Moment) -> Bool { left.milliseconds < right.milliseconds }
}
