import Domain

extension SettingSource {
    /// The database of the setting `database`, with the password that stands beside it; SQLite in the state folder when
    /// nothing is said.
    func database() throws(ServiceError) -> DatabaseSource {
        guard let text = text(.database) else { return .sqlite(path: try stateFolder().database) }
        let origin = origin(of: .database)
        return try DatabaseSource(text, origin: origin, isPublic: origin == Setting.database.flag)
            .with(password: try secret(.databasePassword))
    }
}
