// Package cmdlet holds the administrators' commands as one table, and what it takes to run
// a row of it: binding parameters, calling the service or the vault, showing the result.
//
// [Table] is plain data: names, parameters, roles, help. The command line, the Exchange
// admin REST face and the console read the same rows, so that a command means one thing
// everywhere. A call goes through three steps, each usable alone:
//
//	words or JSON --bind--> Call --Runner--> Objects --Printer--> table, list or JSON
//
// A [Runner] carries calls out. Rows of the service side run in the server ([Local]) or are
// sent there ([Remote]); rows of the vault side run in the client, through the official
// vault clients (package azure), so that they work against any such vault. [CLI] joins the
// steps for the command line.
//
// Names and spellings follow the articles that administrators keep open beside them
// (section 3 of the requirements); where PowerShell's own rules are meant, the comment says
// so. The package decides nothing about rights: the domain packages do. Roles in the table
// say who can expect a command to work, and hide the others (row CK-83).
package cmdlet
