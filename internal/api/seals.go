package api

import (
	"context"
	"net/http"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/seal"
)

// Seals is what operators of the service do to its sealing keys. Both decide who may, and record
// changes and refusals.
type Seals interface {
	Seals(ctx context.Context, c directory.Caller) (SealReport, error)
	// RotateSeal begins to replace the sealing key of a database; fault.NotFound if there is no such
	// seal, fault.Conflict while an earlier replacement goes on.
	RotateSeal(ctx context.Context, c directory.Caller, name string) error
}

// A SealReport tells of the sealing keys, and of nothing that is in them.
type SealReport struct {
	Folder   string          `json:"folder"` // id of the data folder
	Kind     string          `json:"kind"`   // what holds the sealing keys: "file", "passphrase", ...
	Holder   string          `json:"holder"` // the same in words
	Keys     []SealKey       `json:"keys"`
	Rotation []seal.Progress `json:"rotation,omitempty"` // by database; none of a server that does not run
}

// A SealKey is one sealing key of a database.
type SealKey struct {
	Seal  string    `json:"seal"` // "service", "vault", "availability"
	ID    seal.ID   `json:"id"`
	State string    `json:"state"` // "current", "former"
	Since time.Time `json:"since"`
}

func (s *Server) getSeals(w http.ResponseWriter, r *http.Request, caller directory.Caller) error {
	if s.seals == nil {
		return errNoSeals()
	}
	report, err := s.seals.Seals(r.Context(), caller)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, report)
	return nil
}

func (s *Server) rotateSeal(w http.ResponseWriter, r *http.Request, caller directory.Caller) error {
	if s.seals == nil {
		return errNoSeals()
	}
	if err := s.seals.RotateSeal(r.Context(), caller, r.PathValue("seal")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func errNoSeals() error { return fault.New(fault.NotFound, "this server keeps no sealing keys") }
