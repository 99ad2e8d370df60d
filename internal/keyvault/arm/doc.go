// Package arm is the face through which owners of subscriptions set vaults up: the part of
// Azure's resource management that the key vault's own clients need, on management.{domain}.
//
// All routes stand in one table (routes.go); fixed parts of paths match in any case (KV-9).
// Everything completes in the first answer. What is not in the table is 404 in the error shape
// of resource management, and a property that could not be honoured is refused, never ignored; but for
// the marks enabledFor*, which are kept and mean nothing here.
package arm
