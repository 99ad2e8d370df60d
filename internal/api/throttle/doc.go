// Package throttle counts what callers and their organizations ask of a face, so that one of
// them cannot take it from all (rows CK-343 and CK-349).
//
// Two things are counted, for each caller and for each organization: the requests in a window
// of time, and the requests under way at once. A request that does not fit is turned away and
// counts for nothing. A window begins with the first request and is not a sliding one: "come
// back in n seconds" is then exact, and whoever asks nothing needs no memory. What it costs is
// that two windows' worth may come in a row where one ends and the next begins.
//
// Counting is in memory, by the process: two nodes allow twice as much. The package knows no
// roles and no commands; who may ask at all is decided elsewhere.
package throttle
