// Package cmdlet is the language of the administrators' commands: what a command is, how its
// parameters are bound, what it is given when it runs and what it returns.
//
// A [Cmdlet] is a row of a table, plain data: names, parameters, roles, help. The command line, the
// Exchange admin REST face and the shell read the same rows, so that a command means one thing
// everywhere. A call goes through three steps, each usable alone:
//
//	words or JSON --bind--> Call --Runner--> Objects --Printer--> table, list or JSON
//
// This package has the first step ([Bind], [BindJSON], [BindValues]) and the types between the
// steps, with the form that objects have on the wire. It knows no command by name. The rooms below
// it have the rest:
//
//   - service: the commands that the service carries out, each beside what it does;
//   - rows: the commands of the vault, of operators and of the script language, and the whole table;
//   - show: printers, help, questions, exit codes, and the command line that joins the steps;
//   - azure and operator: runners in the client; script, prompt, powershell and clixml: other ways
//     in and out.
//
// Names and spellings follow the articles that administrators keep open beside them
// (section 3 of the requirements); where PowerShell's own rules are meant, the comment says
// so. The package decides nothing about rights: the domain packages do. Roles in the table
// say who can expect a command to work, and hide the others (row CK-83).
package cmdlet
