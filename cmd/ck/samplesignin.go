package main

import (
	"context"

	"github.com/customerkey/customerkey/internal/directory"
	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/profile"
)

// signInSample leaves a profile of the sample's administrator on this machine, so that the
// commands which the guide prints work as printed. Somebody else's profile is left alone: the
// sample's then gets a name of its own.
func (n *node) signInSample(ctx context.Context, tenant directory.Tenant, password string) (*sampleGuide, error) {
	guide := &sampleGuide{password: password}
	for _, name := range []string{"", "sample"} {
		path, err := profile.Path(name)
		if err != nil {
			return nil, err
		}
		if name != "" {
			guide.profile = "--profile " + name
		}
		where := profile.Config{Path: path}
		old, err := profile.Open(where)
		switch {
		case err == nil && old.Data().Tenant == tenant.ID && old.Data().User == sampleAdmin && old.Data().Domain == n.host(""):
			return guide, nil // signed in since an earlier start
		case err == nil && name == "" && !n.isSample(old.Data()):
			continue
		case err != nil && !fault.Is(err, fault.Unauthenticated):
			return nil, err
		}
		tokens, err := n.sampleTokens(ctx, tenant, password)
		if err != nil {
			return nil, err
		}
		_, err = profile.Save(ctx, where, profile.Data{
			Domain: n.host(""), Tenant: tenant.ID, Organization: sampleDomain, User: sampleAdmin,
			Authority: string(n.certs.PEM()), RefreshToken: tokens.Refresh,
		})
		return guide, err
	}
	return guide, nil
}

// isSample reports whether a profile is that of a sample, perhaps of one that is gone: it may
// be replaced.
func (n *node) isSample(d profile.Data) bool {
	return d.Organization == sampleDomain && d.User == sampleAdmin
}

// sampleTokens signs the administrator in the way ck login does, without leaving the process.
func (n *node) sampleTokens(ctx context.Context, tenant directory.Tenant, password string) (directory.Tokens, error) {
	scope := n.url("api") + "/.default"
	from := directory.Origin{Address: "127.0.0.1", Request: "sample"}
	device, err := n.directory.StartDevice(ctx, tenant.ID, directory.CommandLineApp, scope, from)
	if err != nil {
		return directory.Tokens{}, err
	}
	if _, err := n.directory.ApproveDevice(ctx, directory.Approval{UserCode: device.UserCode, UPN: sampleAdmin, Password: password, From: from}); err != nil {
		return directory.Tokens{}, err
	}
	return n.directory.RedeemDevice(ctx, tenant.ID, directory.CommandLineApp, device.Code, scope, from)
}
