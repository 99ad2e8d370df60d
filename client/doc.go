// Package client reads and writes items over the HTTP API of api.{domain}, and reads the audit
// log. It depends on the standard library only.
//
// A [Client] streams: [Client.Put] and [Client.Add] send a body of any length, [Client.Get]
// gives one back whose digest is checked when it has been read to its end. Requests that may be
// repeated without harm are repeated, a few times and with growing pauses, when the service
// cannot be reached or says that it is unavailable; a body is sent again only if it can seek
// back to its start. Every error that the service gave is an [*Error] with a code for programs,
// a message and a hint for people.
//
// The client does not seal: what it sends is sealed by the service.
package client
