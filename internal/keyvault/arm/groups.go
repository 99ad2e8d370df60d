package arm

import (
	"net/http"

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

// listGroups lists the groups that meet the filter, which may be about tags. Scripts delete what such
// a list names, so a filter that is not understood is refused.
func (x *request) listGroups() error {
	all, err := x.vaults.Groups(x.r.Context(), x.caller, x.params["subscription"])
	if err != nil {
		return err
	}
	f, err := parseFilter(x.query.Get("$filter"))
	if err == nil {
		err = f.only("tagname", "tagvalue")
	}
	if err != nil {
		return err
	}
	out := listOf[groupOut](nil)
	for _, g := range all {
		if f.tagged(g.Tags) {
			out.Value = append(out.Value, group(g))
		}
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
	return x.replyHead(err, keyvault.ReasonNoGroup)
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

func (x *request) patchGroup() error {
	var in groupIn
	if err := face.Decode(x.r, &in); err != nil {
		return err
	}
	if in.Tags == nil { // nothing else may change, and nothing is asked for
		return x.getGroup()
	}
	g, err := x.vaults.TagGroup(x.r.Context(), x.caller, x.params["subscription"], x.params["group"], in.Tags)
	if err != nil {
		return err
	}
	return x.reply(group(g))
}

func (x *request) deleteGroup() error {
	if err := x.vaults.DeleteGroup(x.r.Context(), x.caller, x.params["subscription"], x.params["group"]); err != nil {
		return err
	}
	x.w.WriteHeader(http.StatusOK)
	return nil
}
