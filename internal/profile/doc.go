// Package profile is the signed-in state of the command line: which service, which
// organization, who, and the tokens that prove it.
//
// A profile is one JSON file that only its owner can read; one that others can read is
// refused, because the refresh token in it is as good as a password for as long as it
// lives. Several profiles lie side by side as NAME.json in the user's configuration folder.
//
//	{
//	  "version": 1,
//	  "domain": "localhost:8443",           host and port that all service names end in
//	  "tenant": "…GUID…", "organization": "contoso.example", "user": "alice@contoso.example",
//	  "certificateAuthority": "PEM",        trusted for this service; absent: the system's
//	  "refreshToken": "…",                  good for one use, then replaced
//	  "accessTokens": {"https://api.localhost:8443": {"token": "…", "obtained": …, "expires": …}}
//	}
//
// Every change is a new file renamed over the old one, under a lock beside it, so that two
// commands at once neither lose a new refresh token nor use an old one twice. Access tokens
// are kept too: most commands need no word from the token service.
//
// The package talks to the token service only. It imports no service package: what a
// signed-in person can do, an outsider's program could.
package profile
