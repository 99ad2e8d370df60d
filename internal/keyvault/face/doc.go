// Package face is what the two HTTP faces of the key vault (packages rest and arm) have in
// common: routes as rows of one table, the caller of a request, and JSON in both directions.
// It knows neither protocol; status codes and error bodies are each face's own.
package face
