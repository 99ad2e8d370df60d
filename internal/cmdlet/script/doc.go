// Package script is the language of administrators' scripts: the small part of PowerShell
// that Microsoft's articles print and that people type at a prompt.
//
//	text --Parse--> Script --Session.Run--> commands, one pipeline at a time --> output
//
// It has calls of commands, pipelines, variables, strings, lists, hash tables, member access,
// comparisons, and blocks of one pipeline for ForEach-Object and Where-Object. It has no
// loops, functions, classes, methods or arithmetic, starts no programs and touches no file
// but where a command says so. What is outside is refused by name, with its line and column,
// before anything runs; scripts that need it run in real PowerShell.
//
// A prompt asks [Incomplete] whether to read another line, [PlaceAt] what can be completed,
// and [Mark] to show where a [SyntaxError] lies. [Format] and [Quote] write what Parse reads.
//
// A [Session] runs a script statement by statement. A pipeline is a chain of stages, each of
// which calls the next with every value as it comes: a listing of 50,000 mailboxes is never
// held as a whole, and stops as soon as somebody behind it has enough. Errors are shown, and
// the next statement runs, as in PowerShell. Time and memory are bounded by counting steps.
//
// Commands and their parameters are those of package rows, those of the language itself
// (Format-List, Where-Object ...) too. This package decides nothing about rights.
package script
