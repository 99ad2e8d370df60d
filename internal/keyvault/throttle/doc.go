// Package throttle counts what is asked of each vault, so that one vault or one subscription
// cannot take the whole deployment (row KV-107).
//
// A vault has one budget for ten seconds. Each request takes a share of it that depends on the
// key: a vault does 4000 cheap operations, or 250 costly ones, or a mixture. A subscription
// has five times that for all its vaults together. A request that does not fit is turned away
// and takes nothing.
//
// The ten seconds begin with the first request and are not a sliding window: the answer "come
// back in n seconds" is then exact, and an idle vault needs no memory. What it costs is that
// two budgets may be spent in a row where one window ends and the next begins.
//
// Counting is in memory, by the process: two nodes have two budgets. The package knows no
// callers and no keys, only sizes; who may ask at all is decided before.
package throttle
