package rest

import (
	"net/url"
	"regexp"

	"github.com/customerkey/customerkey/internal/fault"
)

// Versions of the API that are served, all alike (KV-10): every 7.x, and dates from firstDate on.
var (
	sevenVersion = regexp.MustCompile(`^7\.\d{1,3}(-preview(\.\d{1,3})?)?$`)
	dateVersion  = regexp.MustCompile(`^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(-preview(\.\d{1,3})?)?$`)
)

const firstDate = "2025-06-01"

// readQuery decodes the query, its keys too (KV-8), and checks api-version.
func (x *request) readQuery() error {
	query, err := url.ParseQuery(x.r.URL.RawQuery)
	if err != nil {
		return fault.New(fault.Invalid, "The query of the request URI cannot be read")
	}
	x.query = query
	version := query.Get("api-version")
	if version == "" {
		return fault.New(fault.Invalid, "api-version must be specified")
	}
	if sevenVersion.MatchString(version) {
		return nil
	}
	if dateVersion.MatchString(version) && version[:len(firstDate)] >= firstDate {
		return nil
	}
	return fault.New(fault.Invalid, "The specified version (%.32s) is not recognized. Consider using the latest supported version (2026-04-01)", version)
}
