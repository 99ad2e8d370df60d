package graph

// Decoders of what clients send, for fuzzing.
var (
	PageFrom    = pageFrom
	RefID       = refID
	GroupFilter = groupFilter
	Unquote     = unquote
)

// Position returns where a page begins and how long it is.
func (p pageOf) Position() (after string, top int) { return p.after, p.top }
