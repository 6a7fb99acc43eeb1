/// The names under which everything lies, in one slot of a cluster. Channels know no databases, so those have the number
/// in their name.
package struct RedisKeys: Sendable {
    let prefix: String
    package let queueChannel: String
    package let signalChannel: String

    package init(database: Int) {
        prefix = "{pagewright}:"
        queueChannel = "{pagewright}:\(database):queue"
        signalChannel = "{pagewright}:\(database):signals"
    }
}
