package keyvault

import (
	"slices"
	"strings"

	"github.com/customerkey/customerkey/internal/directory"
)

// EnabledFor are the marks of a vault that are kept and answered back, and mean nothing here:
// there are no machines, disks and templates that could read its secrets (KV-122).
type EnabledFor struct{ Deployment, DiskEncryption, Template bool }

const (
	wordDeployment     = "deployment"
	wordDiskEncryption = "disk-encryption"
	wordTemplate       = "template"
)

// Words returns the marks that are set, as they are stored.
func (e EnabledFor) Words() []string {
	var words []string
	for _, mark := range []struct {
		set  bool
		word string
	}{{e.Deployment, wordDeployment}, {e.DiskEncryption, wordDiskEncryption}, {e.Template, wordTemplate}} {
		if mark.set {
			words = append(words, mark.word)
		}
	}
	return words
}

// ParseEnabledFor is the inverse of Words.
func ParseEnabledFor(words []string) EnabledFor {
	return EnabledFor{
		Deployment:     slices.Contains(words, wordDeployment),
		DiskEncryption: slices.Contains(words, wordDiskEncryption),
		Template:       slices.Contains(words, wordTemplate),
	}
}

// An EnabledForChange sets the marks that are not nil.
type EnabledForChange struct{ Deployment, DiskEncryption, Template *bool }

func (c EnabledForChange) apply(e EnabledFor) EnabledFor {
	if c.Deployment != nil {
		e.Deployment = *c.Deployment
	}
	if c.DiskEncryption != nil {
		e.DiskEncryption = *c.DiskEncryption
	}
	if c.Template != nil {
		e.Template = *c.Template
	}
	return e
}

// An Author is who made or changed something, for people to read. The zero Author is unknown.
type Author struct {
	Kind directory.Kind
	Name string
}

func authorOf(c directory.Caller) Author { return Author{c.Kind, c.Name} }

// String is how an author is stored: the kind, a space, and the name.
func (a Author) String() string {
	if a == (Author{}) {
		return ""
	}
	return string(a.Kind) + " " + a.Name
}

// ParseAuthor is the inverse of String.
func ParseAuthor(s string) Author {
	kind, name, _ := strings.Cut(s, " ")
	return Author{directory.Kind(kind), name}
}
