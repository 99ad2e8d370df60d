// Package rows is the table of all commands: the service's, which package service brings along, and
// those that run in the client, which are written down here. It is data: what a row of a vault
// does is in package azure, what an operator's does in package operator, and what the language
// itself does in package script.
package rows
