package customerkey_test

// untested says why no test shows a row of the requirements.
var untested = map[int]string{
	1:  "outside: encryption of volumes is below the service and stays on",
	4:  "states what the whole is for",
	11: chunks, 12: chunks, 30: chunks,
	252: cloudPCs, 276: cloudPCs, 292: cloudPCs,
	295: "states what is not covered",
	304: "states how the preview was run", 305: "states prices",
	326: "not needed: policy commands have one host",
	378: unknown, 379: unknown, 380: unknown, 381: unknown, 382: unknown, 383: unknown, 384: unknown, 385: unknown, 386: unknown,
}

const (
	chunks   = "not built yet: files in chunks with keys of their own, and credentials per kind of access"
	cloudPCs = "not covered: Windows 365"
	unknown  = "nothing public says it"
)

// untestedOfVaults says so for the rows of the key vault.
var untestedOfVaults = map[int]string{
	16: "optional, and no client needs it: not built",
	43: "states which versions of the interface there are",
	67: "no vault has soft delete off",

	154: clientFact, 155: clientFact, 156: clientFact, 158: clientFact, 159: clientFact, 160: clientFact,
}

const clientFact = "states what a client does; test/ and docs/key-vault.md go by it"
