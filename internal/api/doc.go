// Package api holds the HTTP faces of api.{domain} and outlook.{domain}.
//
// The first is for items of every workload, reading the audit log, and health.
//
// A [Server] is one table of routes (routes.go). It finds the route, verifies the bearer token,
// and hands the request to a handler, which calls one method of a domain package and returns
// its error; one function (errors.go) turns errors into statuses and logs them, once. No rule
// lives here: who may do what is decided by the domain.
//
// An [Exchange] is the other face, outlook.{domain}: the admin REST protocol of Exchange Online
// PowerShell over the table of commands (package cmdlet). Its routes are one table too
// (exchange_routes.go), and so are its errors (exchange_errors.go). Each request is an invocation
// on its way through it: route, caller, limits, body, organization, then the endpoint; one in a
// batch takes the same way from its route on.
//
// Bodies of items stream both ways. A peer that stops sending or reading for a minute is cut
// off. The first segment of an item is opened before the status line is sent, so damage and
// denial are proper errors; what fails later breaks the connection, so that no client takes the
// beginning of an item for the whole.
package api
