package directory

import "testing"

// PrimesForTest returns the primes of every issuer key, big-endian.
func PrimesForTest(t *testing.T, s *Service) [][]byte {
	t.Helper()
	rows, err := s.store.IssuerKeys(t.Context())
	if err != nil || len(rows) == 0 {
		t.Fatalf("%d issuer keys, %v", len(rows), err)
	}
	var primes [][]byte
	for _, row := range rows {
		key, err := s.openKey(row)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range key.Primes {
			primes = append(primes, p.Bytes())
		}
	}
	return primes
}
