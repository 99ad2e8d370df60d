package directory

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/customerkey/customerkey/internal/fault"
)

// Limits of an app's credentials.
const (
	maxCredentials = 10 // secrets, and as many certificates
	maxCertificate = 16 << 10
)

// Credentials are what an app can prove itself by. Nothing in them is secret: hashes of
// secrets and public halves of keys.
type Credentials struct {
	Registration
	Secrets      []Secret
	Certificates []Certificate
}

// Credentials returns an app of tenant by its app id, or its object id there. Who may change
// the directory of the tenant may see them.
func (s *Service) Credentials(ctx context.Context, c Caller, tenant, idOrAppID string) (Credentials, error) {
	if err := s.allowed(ctx, act{caller: c, tenant: tenant, action: "app.read", object: "apps/" + clip(idOrAppID)}); err != nil {
		return Credentials{}, err
	}
	app, err := s.registration(ctx, tenant, idOrAppID)
	if err != nil {
		return Credentials{}, err
	}
	out := Credentials{Registration: app}
	if out.Secrets, err = s.store.Secrets(ctx, tenant, app.ID); err != nil {
		return Credentials{}, err
	}
	out.Certificates, err = s.store.Certificates(ctx, tenant, app.ID)
	return out, err
}

// registration finds an app that tenant itself has registered.
func (s *Service) registration(ctx context.Context, tenant, idOrAppID string) (Registration, error) {
	p, err := s.ServicePrincipal(ctx, tenant, idOrAppID)
	if err == nil && p.HomeTenant != tenant {
		err = fault.New(fault.NotFound, "no such app")
	}
	if err != nil {
		return Registration{}, err
	}
	return s.store.App(ctx, tenant, p.AppID)
}

// AddSecret gives an app one more secret, good for life (two years if 0, and at most), and
// returns its text, which is shown only now. fault.Conflict if the app has ten.
func (s *Service) AddSecret(ctx context.Context, c Caller, tenant, idOrAppID, name string, life time.Duration) (Secret, string, error) {
	if life == 0 {
		life = secretLife
	}
	if life < 0 || life > secretLife {
		return Secret{}, "", fault.New(fault.Invalid, "a secret is good for at most two years")
	}
	text := randomText(32)
	secret := Secret{ID: uuid.NewString(), Name: name, Hash: digest(text), Created: s.now()}
	secret.Expires = secret.Created.Add(life)
	err := s.changeApp(ctx, c, tenant, idOrAppID, "app.secret.add", secret.ID, func(app Registration) error {
		if err := checkCredentialName(name); err != nil {
			return err
		}
		secret.Tenant, secret.App = app.HomeTenant, app.ID
		return s.store.AddSecret(ctx, secret, maxCredentials)
	})
	if err != nil {
		return Secret{}, "", err
	}
	return secret, text, nil
}

// AddCertificate lets an app prove itself with the private key of a certificate, until that
// has expired. encoded is X.509, as DER or PEM; the key is RSA of 2048 to 4096 bits or EC on
// P-256. Who has signed the certificate does not matter. fault.Conflict if the app has ten.
func (s *Service) AddCertificate(ctx context.Context, c Caller, tenant, idOrAppID, name string, encoded []byte) (Certificate, error) {
	added := Certificate{ID: uuid.NewString(), Name: name, Created: s.now()}
	err := s.changeApp(ctx, c, tenant, idOrAppID, "app.certificate.add", added.ID, func(app Registration) error {
		certificate, err := parseCertificate(encoded)
		if err != nil {
			return err
		}
		if !added.Created.Before(certificate.NotAfter) {
			return fault.New(fault.Invalid, "the certificate has expired").WithHint("give one that is still valid")
		}
		if added.Name == "" {
			added.Name = clip(certificate.Subject.CommonName)
		}
		if err := checkCredentialName(added.Name); err != nil {
			return err
		}
		added.Tenant, added.App, added.DER = app.HomeTenant, app.ID, certificate.Raw
		added.Expires = certificate.NotAfter.UTC()
		return s.store.AddCertificate(ctx, added, maxCredentials)
	})
	if err != nil {
		return Certificate{}, err
	}
	return added, nil
}

// RemoveCredential takes a secret or a certificate away from an app, by its id. It gives no
// token from then on; tokens that it gave live out their hour.
func (s *Service) RemoveCredential(ctx context.Context, c Caller, tenant, idOrAppID, id string) error {
	return s.changeApp(ctx, c, tenant, idOrAppID, "app.credential.remove", clip(id), func(app Registration) error {
		if !isGUID(id) {
			return fault.New(fault.NotFound, "the app has no credential with that id")
		}
		return s.store.DeleteCredential(ctx, app.HomeTenant, app.ID, id)
	})
}

// SetRedirects replaces the addresses to which a browser may come back after a sign-in to an
// app; see CheckRedirects for which they can be.
func (s *Service) SetRedirects(ctx context.Context, c Caller, tenant, idOrAppID string, redirects []string) error {
	return s.changeApp(ctx, c, tenant, idOrAppID, "app.redirects", "", func(app Registration) error {
		if err := CheckRedirects(redirects); err != nil {
			return err
		}
		return s.store.SetRedirects(ctx, app.HomeTenant, app.ID, slices.Clone(redirects))
	})
}

// changeApp performs a change of one app of tenant. Whether that app exists is told only to
// who may change it.
func (s *Service) changeApp(ctx context.Context, c Caller, tenant, idOrAppID, action, credential string, do func(Registration) error) error {
	a := act{caller: c, tenant: tenant, action: action, object: "apps/" + clip(idOrAppID)}
	if credential != "" {
		a.detail = map[string]string{"credential": credential}
	}
	return s.perform(ctx, a, func() error {
		app, err := s.registration(ctx, tenant, idOrAppID)
		if err != nil {
			return err
		}
		return do(app)
	})
}

func checkCredentialName(name string) error {
	if name == "" {
		return nil
	}
	return checkName("the credential", name)
}

// parseCertificate reads one certificate and checks that its key can prove anything.
func parseCertificate(encoded []byte) (*x509.Certificate, error) {
	bad := fault.New(fault.Invalid, "that is not an X.509 certificate").WithHint("give one certificate, as PEM or DER, without its private key")
	if len(encoded) > maxCertificate {
		return nil, bad
	}
	if bytes.Contains(encoded, []byte("-----BEGIN")) {
		block, rest := pem.Decode(encoded)
		if block == nil || block.Type != "CERTIFICATE" || bytes.Contains(rest, []byte("-----BEGIN")) {
			return nil, bad
		}
		encoded = block.Bytes
	}
	certificate, err := x509.ParseCertificate(encoded)
	if err != nil {
		return nil, bad
	}
	switch key := certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits >= 2048 && bits <= 4096 {
			return certificate, nil
		}
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			return certificate, nil
		}
	}
	return nil, fault.New(fault.Invalid, "the certificate's key is of a kind that is not taken").WithHint("use RSA of 2048 to 4096 bits, or EC on P-256")
}
