package api

import (
	"net/http"

	"github.com/customerkey/customerkey/internal/directory"
)

// getHealth says whether the service can work: 200, or an error that says what is missing.
func (s *Server) getHealth(w http.ResponseWriter, r *http.Request, _ directory.Caller) error {
	if err := s.healthy(r.Context()); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	return nil
}
