// Package api holds the HTTP faces of api.{domain}: items of every workload, reading the audit
// log, and health.
//
// A [Server] is one table of routes (routes.go). It finds the route, verifies the bearer token,
// and hands the request to a handler, which calls one method of a domain package and returns
// its error; one function (errors.go) turns errors into statuses and logs them, once. No rule
// lives here: who may do what is decided by the domain.
//
// Bodies stream both ways. A peer that stops sending or reading for a minute is cut off. The
// first segment of an item is opened before the status line is sent, so damage and denial are
// proper errors; what fails later breaks the connection, so that no client takes the beginning
// of an item for the whole.
package api
