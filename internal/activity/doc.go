// Package activity tells what administrators did, command by command, in the words of the common
// audit schema: what an organization's own tools read (rows CK-359 to CK-362).
//
// There is no second store. A command that changes something leaves two entries in the audit log
// of its organization, written by an [Act]: one before it acts, one when it has come to its end;
// a command that was refused leaves one. [Service.Search] reads them back as [Record]s. What a
// record says can so be checked against the signed log by its index.
//
//	action      decision    detail
//	cmdlet.run  allow       "-Name": each parameter, "target", "roles", "server"; written first
//	cmdlet.run  deny, fail  the same, with "reason" and "code": nothing was begun
//	cmdlet.end  allow, fail "object", "was X" and "now X" of each property X that changed, or "reason" and "code"
//
// Both have the command's name as their object and share the request's id. A command with a
// beginning and no end is under way, or its server died.
//
// What an operator of the service does to an organization is written to that organization's log
// and to the operator's own. The packages that carry commands out go on recording what they
// decide; this package does not replace that, and decides nothing but who may read.
package activity
