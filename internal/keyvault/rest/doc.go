// Package rest is the face of the key vault that unmodified Azure clients talk to: the keys
// REST API on {vault}.vault.{domain}.
//
// All routes stand in one table (routes.go). A handler reads its parameters, calls one method
// of keyvault.Service and returns its error; one function (errors.go) turns errors into Azure's
// bodies. Every identifier in an answer is computed when the answer is written (KV-4).
package rest
