package graph

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
)

// maxBody bounds what is read: the longest honest body holds a certificate.
const maxBody = 64 << 10

// An application is an app with its credentials, in Graph's words. Its id is the app id: here
// the registration has no other.
type application struct {
	Context      string       `json:"@odata.context,omitempty"`
	ID           string       `json:"id"`
	AppID        string       `json:"appId"`
	DisplayName  string       `json:"displayName"`
	Created      time.Time    `json:"createdDateTime"`
	Web          webPart      `json:"web"`
	Passwords    []credential `json:"passwordCredentials"`
	Certificates []credential `json:"keyCredentials"`
}

type webPart struct {
	Redirects []string `json:"redirectUris"`
}

// A credential is a secret or a certificate. SecretText stands in the answer to making one, and
// nowhere else.
type credential struct {
	ID         string    `json:"keyId"`
	Name       string    `json:"displayName"`
	Start      time.Time `json:"startDateTime"`
	End        time.Time `json:"endDateTime"`
	SecretText string    `json:"secretText,omitempty"`
	Type       string    `json:"type,omitempty"`
	Usage      string    `json:"usage,omitempty"`
	Key        string    `json:"key,omitempty"` // base64 of the certificate
}

func (f *face) createApp(r *http.Request, c directory.Caller) (any, error) {
	var in struct {
		DisplayName string  `json:"displayName"`
		Web         webPart `json:"web"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if err := directory.CheckRedirects(in.Web.Redirects); err != nil { // before there is an app whose secret nobody has seen
		return nil, err
	}
	p, secret, err := f.Directory.CreateApp(r.Context(), c, c.Tenant, in.DisplayName, nil)
	if err != nil {
		return nil, err
	}
	if len(in.Web.Redirects) > 0 {
		if err := f.Directory.SetRedirects(r.Context(), c, c.Tenant, p.AppID, in.Web.Redirects); err != nil {
			return nil, err
		}
	}
	app, err := f.application(r, c, p.AppID)
	if err == nil && len(app.Passwords) == 1 {
		app.Passwords[0].SecretText = secret
	}
	return reply{http.StatusCreated, app}, err
}

func (f *face) app(r *http.Request, c directory.Caller) (any, error) {
	return f.application(r, c, r.PathValue("id"))
}

func (f *face) application(r *http.Request, c directory.Caller, id string) (application, error) {
	known, err := f.Directory.Credentials(r.Context(), c, c.Tenant, id)
	if err != nil {
		return application{}, err
	}
	app := application{
		Context: f.base + "/$metadata#applications/$entity", ID: known.ID, AppID: known.ID, DisplayName: known.DisplayName, Created: known.Created,
		Web: webPart{append([]string{}, known.Redirects...)}, Passwords: []credential{}, Certificates: []credential{},
	}
	for _, s := range known.Secrets {
		app.Passwords = append(app.Passwords, secretOf(s, ""))
	}
	for _, one := range known.Certificates {
		app.Certificates = append(app.Certificates, certificateOf(one))
	}
	return app, nil
}

func (f *face) changeApp(r *http.Request, c directory.Caller) (any, error) {
	var in struct {
		Web *webPart `json:"web"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if in.Web == nil {
		return nil, fault.New(fault.Invalid, "only web.redirectUris of an app can be changed")
	}
	return done, f.Directory.SetRedirects(r.Context(), c, c.Tenant, r.PathValue("id"), in.Web.Redirects)
}

func (f *face) addPassword(r *http.Request, c directory.Caller) (any, error) {
	var in struct {
		Password struct {
			Name string    `json:"displayName"`
			End  time.Time `json:"endDateTime"`
		} `json:"passwordCredential"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	life := time.Duration(0)
	if !in.Password.End.IsZero() {
		if life = in.Password.End.Sub(f.Now()); life <= 0 {
			return nil, fault.New(fault.Invalid, "endDateTime lies in the past")
		}
	}
	s, text, err := f.Directory.AddSecret(r.Context(), c, c.Tenant, r.PathValue("id"), in.Password.Name, life)
	return secretOf(s, text), err
}

func (f *face) addKey(r *http.Request, c directory.Caller) (any, error) {
	var in struct {
		Key credential `json:"keyCredential"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if in.Key.Type != "" && in.Key.Type != "AsymmetricX509Cert" || in.Key.Usage != "" && in.Key.Usage != "Verify" {
		return nil, fault.New(fault.Invalid, "only certificates that verify are taken").WithHint("type is AsymmetricX509Cert, usage is Verify")
	}
	encoded, err := base64.StdEncoding.DecodeString(in.Key.Key)
	if err != nil {
		return nil, fault.New(fault.Invalid, "keyCredential.key is not base64")
	}
	one, err := f.Directory.AddCertificate(r.Context(), c, c.Tenant, r.PathValue("id"), in.Key.Name, encoded)
	return certificateOf(one), err
}

// removeCredential serves removePassword and removeKey alike.
func (f *face) removeCredential(r *http.Request, c directory.Caller) (any, error) {
	var in struct {
		ID string `json:"keyId"`
	}
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	return done, f.Directory.RemoveCredential(r.Context(), c, c.Tenant, r.PathValue("id"), strings.ToLower(in.ID))
}

func secretOf(s directory.Secret, text string) credential {
	return credential{ID: s.ID, Name: s.Name, Start: s.Created, End: s.Expires, SecretText: text}
}

func certificateOf(c directory.Certificate) credential {
	return credential{
		ID: c.ID, Name: c.Name, Start: c.Created, End: c.Expires, Type: "AsymmetricX509Cert", Usage: "Verify",
		Key: base64.StdEncoding.EncodeToString(c.DER),
	}
}

// decode reads a body that is one JSON object; members that v has not are ignored.
func decode(r *http.Request, v any) error {
	body, err := io.ReadAll(r.Body)
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return fault.New(fault.TooLarge, "the body is longer than %d bytes", maxBody)
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "the body was cut off")
	}
	if len(body) == 0 || json.Unmarshal(body, v) != nil {
		return fault.New(fault.Invalid, "the body is not the JSON object that belongs here")
	}
	return nil
}
