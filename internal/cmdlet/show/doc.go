// Package show is what somebody at a terminal sees of commands: objects as tables, lists or JSON,
// help made from the rows, questions, errors with their hints, and exit codes. [CLI] runs one
// command of the table for him, from its words to its output.
//
// What comes from outside is made safe to print here, whoever sent it. The package runs nothing
// itself: it is handed a runner for each side.
package show
