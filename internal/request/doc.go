// Package request keeps what needs somebody's approval before it happens: enabling a family of
// policies, recovery, going back to the service's keys, destruction, naming an officer.
//
// A [Request] is a row: who asked, for what, why, and what a dry run listed. A kind of request is
// data handed in ([Rule]): who may ask, whose approvals it takes (an officer of the tenant, an
// operator of the service, either, both, or a rule), how long it may wait for them, how long it
// then waits before it takes effect, and the kind of the operation that does the deed. The last
// approval stores that operation in its own transaction; its handler is made by
// [Service.Handler], which hands it the request as it was approved.
//
//	waiting --last approval--> approved --handler begins--> running --> done, or failed
//	   |                          |
//	   |--deny------------------->|--deny-----> denied      while approved: until the handler
//	   |--withdraw--------------->`--withdraw-> withdrawn    begins, after the waiting period
//	   `--nobody in time--> expired
//
// # Rules
//
// Nobody approves his own request, and one person is one approval, also who is officer and
// operator. An approval names the digest of what it approves. One that comes twice, too late or
// after the end is fault.Conflict and changes nothing. At most one request of a kind and subject
// is open at a time. Officers are named per family (row CK-217): the first one by a Global
// Administrator, every later change by a request that an officer or an operator approves.
//
// Tenants see their own requests. Operators see, of any tenant, those that take an operator until
// they have come to their end, and nothing else. Every method that takes a caller decides and records at one door
// before anything happens; refusals are recorded too. What an operator does is in both logs.
//
// Each change names the revision it was decided on, so that of two at once both count, one
// after the other. Time never runs backwards within a request: a clock that was set back does not
// bring an expired one back.
//
// A waiting period is time in which somebody could have stopped what was approved. So it is counted
// as it passes, by a clock that nobody can set (see package elapsed), and only while a server
// runs and reaches its database: no clock that is set ahead shortens it, none that is set back
// draws it out. An approved request is carried out however long that takes: what stands in the way
// of its operation is tried again until it is gone, and said.
package request
