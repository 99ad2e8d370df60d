package graph

import (
	"net/http"

	"github.com/customerkey/customerkey/internal/directory"
)

// A licence as Graph shows one. Its id is the part number of the product, where Graph has a GUID.
type assignedLicence struct {
	SkuID directory.Licence `json:"skuId"`
}

// A licenceChange is the body of assignLicense.
type licenceChange struct {
	Add []struct {
		SkuID string `json:"skuId"`
	} `json:"addLicenses"`
	Remove []string `json:"removeLicenses"`
}

// assignLicence gives a person licences and takes others away (row CK-212).
func (f *face) assignLicence(r *http.Request, c directory.Caller) (any, error) {
	var in licenceChange
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	add := make([]string, len(in.Add))
	for i, l := range in.Add {
		add[i] = l.SkuID
	}
	p, err := f.Directory.ChangeLicences(r.Context(), c, c.Tenant, r.PathValue("id"), add, in.Remove)
	if err != nil {
		return nil, err
	}
	u := listedUser(p)
	u.Context = f.base + "/$metadata#users/$entity"
	return u, nil
}

func licencesOf(p directory.Person) []assignedLicence {
	list := make([]assignedLicence, len(p.Licences))
	for i, l := range p.Licences {
		list[i] = assignedLicence{l}
	}
	return list
}
