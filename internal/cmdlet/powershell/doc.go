// Package powershell writes the commands of the service as a module for real PowerShell 7:
// thin functions over the Exchange admin REST endpoint, made from the table of package rows,
// so that a script which needs all of PowerShell has the same commands.
package powershell
