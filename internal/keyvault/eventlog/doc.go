// Package eventlog writes what is asked of the vaults as the AuditEvent records of Azure Key
// Vault (rows CK-363 to CK-375), for the tools that people already have: into a folder laid
// out like Azure's storage account, as JSON lines to a stream, or both.
//
// It is not the record of decisions; that is package audit, which is written first and can be
// verified. A record here is written after the answer, as in Azure, and never holds a request
// up: it waits in a bounded queue, and where the queue is full, or the disk, it is lost. What is
// lost is counted, said in the server's log, and told by Lost to whoever asks for the health.
//
// Records of two tenants never share a file. No record holds a body, a token or a key.
package eventlog
