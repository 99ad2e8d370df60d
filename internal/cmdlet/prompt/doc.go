// Package prompt is what a person types commands at: it reads lines, completes them, keeps
// them for another day, and hands them to a script.Session.
//
//	keys --editor--> lines --Shell--> script.Session --> output
//	                   |
//	                   +-- Tab: completer, which knows the table and asks for names (Names)
//	                   +-- History: a file beside the profile, without secrets
//
// The terminal is in raw mode only while a line is read. While commands run it is as every
// other program finds it, so that Ctrl-C is a signal, which ends the pipeline and not the shell.
package prompt
