/// The tables of the audit log.
package enum AuditSchema {
    package static let statements: [String] = [
        // A row without a number is one that was not sealed into the chain yet.
        """
        CREATE TABLE audit_entry (
            id TEXT NOT NULL PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
            subject TEXT NOT NULL, site_id TEXT, details TEXT NOT NULL, request_id TEXT NOT NULL, number BIGINT,
            previous_hash TEXT, hash TEXT)
        """,
        "CREATE UNIQUE INDEX audit_entry_number ON audit_entry(number)",
        "CREATE INDEX audit_entry_unsealed ON audit_entry(id) WHERE number IS NULL",
        // Partial, so that the transaction of an effect does not pay for them.
        "CREATE INDEX audit_entry_site ON audit_entry(site_id, number) WHERE number IS NOT NULL",
        "CREATE INDEX audit_entry_actor ON audit_entry(actor, number) WHERE number IS NOT NULL",
        "CREATE INDEX audit_entry_action ON audit_entry(action, number) WHERE number IS NOT NULL",
        // One row: the end of the chain. Sealing locks it, so two sealers never give one number twice.
        "CREATE TABLE audit_head (id BIGINT NOT NULL PRIMARY KEY, number BIGINT NOT NULL, hash TEXT NOT NULL)",
        """
        INSERT INTO audit_head (id, number, hash)
        VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000')
        """,
    ]
}
