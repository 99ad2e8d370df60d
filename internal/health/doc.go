// Package health watches root keys: whether they can be reached, may be used, and will go on
// being so.
//
// A [Root] is one root key as one service principal reaches it. It is looked at on a schedule,
// when a vault says that something has changed, and when somebody asks; and every answer that it
// gives in daily work counts too ([Service.Saw]), so that what is shown is never better than what
// the keyring knows. A look unwraps a random key with each version that content still depends
// on, wraps one with the newest version, and judges by the table of package rootcheck.
//
//	Unknown      nobody has looked yet
//	Healthy      it unwraps what it must, and nothing is wrong
//	Degraded     it unwraps what it must; a refresh would be refused
//	Unavailable  its vault did not answer, three times in a row
//	Revoked      its owner refuses
//
// What the states of two roots make of a policy is one table ([Pair]). Denial counts at once: it
// is somebody's decision. Silence counts when it lasts: one slow answer is no alert.
//
// Each change of state, and each key that nears its end, is a [Change]: written to the tenant's
// audit log before it holds, kept as history, and sent to the tenant's webhooks.
//
// Routine looks are in the logs of the vaults that are asked, not in the service's: they use no
// policy key, open nothing and change nothing.
package health
