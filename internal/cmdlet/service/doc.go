// Package service has the commands that the service carries out: their rows, and what each does
// with the domain packages.
//
// A family of commands is a few files: rows_mailbox.go says what an administrator can write,
// mailbox.go what is then done, mailboxobject.go what he is shown. [Local] runs a command in this
// process; [Remote] sends it to a server that has a Local. Under -WhatIf a command works on a view
// of which nothing stays, and reports what would have come of it (the files whatif*.go).
//
// Nothing here decides who may do what, and nothing here keeps anything: the domain packages check,
// record and store. The package knows neither vaults nor tables of a store, and how its objects
// are printed is for others to say; [Views] only says which of their properties matter.
package service
