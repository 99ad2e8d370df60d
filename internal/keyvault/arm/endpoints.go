package arm

// endpoints tells clients where everything is (KV-110, KV-131). Clients built for the form of
// 2015 know nothing of the later one; clients that name no version are taken for such.
func (x *request) endpoints() error {
	if x.version == "" || x.version < "2016" {
		return x.reply(x.endpoints2015())
	}
	return x.reply(x.endpoints2022())
}

func (x *request) at(name string) string { return "https://" + name + "." + x.domain }

type endpoints2015 struct {
	Gallery string         `json:"galleryEndpoint"`
	Graph   string         `json:"graphEndpoint"`
	Portal  string         `json:"portalEndpoint"`
	Auth    authentication `json:"authentication"`
}

type authentication struct {
	Login     string   `json:"loginEndpoint"`
	Audiences []string `json:"audiences"`
	Tenant    string   `json:"tenant,omitempty"`
	Provider  string   `json:"identityProvider,omitempty"`
}

func (x *request) endpoints2015() endpoints2015 {
	return endpoints2015{
		Gallery: x.at("management") + "/", Graph: x.at("graph") + "/", Portal: "https://" + x.domain + "/",
		Auth: authentication{Login: x.at("login") + "/", Audiences: []string{x.at("management"), x.at("management") + "/"}},
	}
}

type endpoints2022 struct {
	Name           string            `json:"name"`
	Portal         string            `json:"portal"`
	Auth           authentication    `json:"authentication"`
	Graph          string            `json:"graph"`
	GraphAudience  string            `json:"graphAudience"`
	MicrosoftGraph string            `json:"microsoftGraphResourceId"`
	Manager        string            `json:"resourceManager"`
	Gallery        string            `json:"gallery"`
	Media          string            `json:"media"`
	Batch          string            `json:"batch"`
	SQLManagement  string            `json:"sqlManagement"`
	VMImageAliases string            `json:"vmImageAliasDoc"`
	Suffixes       map[string]string `json:"suffixes"`
}

// endpoints2022 names services that are not here by empty strings: clients want the members.
func (x *request) endpoints2022() endpoints2022 {
	return endpoints2022{
		Name: "customerkey", Portal: "https://" + x.domain,
		Auth: authentication{
			Login: x.at("login"), Audiences: []string{x.at("management"), x.at("management") + "/"},
			Tenant: "common", Provider: "AAD",
		},
		Graph: x.at("graph") + "/", GraphAudience: x.at("graph") + "/", MicrosoftGraph: x.at("graph") + "/",
		Manager: x.at("management") + "/", Gallery: x.at("management") + "/",
		Suffixes: map[string]string{
			"keyVaultDns": "vault." + x.domain, "mhsmDns": "managedhsm." + x.domain,
			"storage": "", "sqlServerHostname": "", "acrLoginServer": "",
		},
	}
}
