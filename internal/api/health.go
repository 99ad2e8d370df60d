package api

import (
	"net/http"

	"github.com/customerkey/customerkey/internal/directory"
)

// A liveness is the answer of a service that can work. Warnings are sentences for operators: of
// what is wrong and does not stop it.
type liveness struct {
	Status   string   `json:"status"`
	Warnings []string `json:"warnings,omitempty"`
}

// getHealth says whether the service can work: 200, or an error that says what is missing.
func (s *Server) getHealth(w http.ResponseWriter, r *http.Request, _ directory.Caller) error {
	if err := s.healthy(r.Context()); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, liveness{Status: "ok", Warnings: s.warn()})
	return nil
}
