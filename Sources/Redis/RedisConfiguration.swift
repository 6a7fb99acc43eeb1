/// What a client needs to know of its server, and how patient it is.
package struct RedisConfiguration: Sendable {
    package var address: RedisAddress
    /// Never printed.
    package var password: String?
    /// How long one command may take; after it the connection is given up.
    package var timeLimit: Duration
    /// How often an idle connection is asked whether it still works.
    package var pulse: Duration
    /// The bound of the first wait after a loss, and of the longest. Each wait is anything up to its bound.
    package var firstDelay: Duration
    package var lastDelay: Duration
    /// How many commands may wait for their answers.
    package var commandsInFlight: Int
    /// How many bytes one answer may have.
    package var answerInBytes: Int

    package init(
        address: RedisAddress, password: String? = nil, timeLimit: Duration = .seconds(1),
        pulse: Duration = .seconds(1), firstDelay: Duration = .milliseconds(50), lastDelay: Duration = .seconds(2),
        commandsInFlight: Int = 1024, answerInBytes: Int = 1 << 20
    ) {
        self.address = address
        self.password = password
        self.timeLimit = timeLimit
        self.pulse = pulse
        self.firstDelay = firstDelay
        self.lastDelay = lastDelay
        self.commandsInFlight = commandsInFlight
        self.answerInBytes = answerInBytes
    }
}
