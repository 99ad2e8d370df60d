package store

import (
	"context"
	"encoding/json"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	directorysql "github.com/customerkey/customerkey/internal/store/gen/directory"
)

// SetLicences implements directory.Store.
func (d *Directory) SetLicences(ctx context.Context, a directory.Account, was []directory.Licence) error {
	licences, err := encodeLicences(a.Licences)
	if err != nil {
		return err
	}
	before, err := encodeLicences(was)
	if err != nil {
		return err
	}
	return d.write(ctx, func(ctx context.Context, q *directorysql.Queries) error {
		return changedMeanwhile(q.SetLicences(ctx, directorysql.SetLicencesParams{Licences: licences, TenantID: a.Tenant, ID: a.ID, Was: before}))
	})
}

// encodeLicences writes licences as a JSON array, in the order given.
func encodeLicences(licences []directory.Licence) (string, error) {
	if licences == nil {
		licences = []directory.Licence{}
	}
	text, err := json.Marshal(licences)
	return string(text), err
}

func decodeLicences(text string) (licences []directory.Licence, err error) {
	if err := json.Unmarshal([]byte(text), &licences); err != nil {
		return nil, fault.Wrap(fault.Corrupt, err, "stored licences cannot be read")
	}
	if len(licences) == 0 {
		return nil, nil
	}
	return licences, nil
}
