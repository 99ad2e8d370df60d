package arm

import (
	"net/http"

	"github.com/customerkey/customerkey/internal/fault"
	"github.com/customerkey/customerkey/internal/keyvault"
	"github.com/customerkey/customerkey/internal/keyvault/face"
)

type groupIn struct {
	Location string            `json:"location"`
	Tags     map[string]string `json:"tags"`
}

type groupOut struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Type       string            `json:"type"`
	Location   string            `json:"location"`
	Tags       map[string]string `json:"tags"`
	Properties provisioningOut   `json:"properties"`
}

type provisioningOut struct {
	State string `json:"provisioningState"`
}

func group(g keyvault.Group) groupOut {
	return groupOut{
		ID: "/subscriptions/" + g.Subscription + "/resourceGroups/" + g.Name, Name: g.Name,
		Type: "Microsoft.Resources/resourceGroups", Location: g.Location, Tags: tagsOut(g.Tags),
		Properties: provisioningOut{"Succeeded"},
	}
}

// tagsOut makes no tags an empty object, not null.
func tagsOut(tags map[string]string) map[string]string {
	if tags == nil {
		return map[string]string{}
	}
	return tags
}

func (x *request) listGroups() error {
	all, err := x.vaults.Groups(x.r.Context(), x.caller, x.params["subscription"])
	if err != nil {
		return err
	}
	out := listOf[groupOut](nil)
	for _, g := range all {
		out.Value = append(out.Value, group(g))
	}
	return x.reply(out)
}

func (x *request) getGroup() error {
	g, err := x.vaults.Group(x.r.Context(), x.caller, x.params["subscription"], x.params["group"])
	if err != nil {
		return err
	}
	return x.reply(group(g))
}

// headGroup tells whether a group is there, by its status alone.
func (x *request) headGroup() error {
	_, err := x.vaults.Group(x.r.Context(), x.caller, x.params["subscription"], x.params["group"])
	switch {
	case fault.As(err).Reason == keyvault.ReasonNoGroup:
		x.w.WriteHeader(http.StatusNotFound)
		return nil
	case err != nil:
		return err
	}
	x.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (x *request) putGroup() error {
	var in groupIn
	if err := face.Decode(x.r, &in); err != nil {
		return err
	}
	g, created, err := x.vaults.PutGroup(x.r.Context(), x.caller, keyvault.Group{
		Subscription: x.params["subscription"], Name: x.params["group"], Location: in.Location, Tags: in.Tags,
	})
	if err != nil {
		return err
	}
	return x.replyPut(created, group(g))
}
