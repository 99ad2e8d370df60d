package store

import (
	"embed"
	"io/fs"
)

//go:embed sql
var texts embed.FS

// ServiceAreas returns the tables of the service database.
func ServiceAreas() []Area {
	return areas("audit", "directory", "hierarchy", "operation", "policy", "purge", "health", "request", "workload")
}

// VaultAreas returns the tables of the vault database: it shares nothing with the service's.
func VaultAreas() []Area { return areas("audit", "keyvault") }

// AvailabilityAreas returns the tables of the availability key's own database.
func AvailabilityAreas() []Area { return areas("audit", "availability") }

// areas returns those of the named areas that have a migrations folder.
func areas(names ...string) []Area {
	var found []Area
	for _, name := range names {
		dir := "sql/" + name + "/migrations"
		if _, err := fs.Stat(texts, dir); err != nil {
			continue
		}
		sub, err := fs.Sub(texts, dir)
		if err != nil {
			panic(err) // dir is a valid path
		}
		found = append(found, Area{Name: name, Migrations: sub})
	}
	return found
}
