package directory

// A Role is what a person or an app may do in a tenant. People's roles carry the names
// of the articles; apps' roles are permissions granted to the program.
type Role string

const (
	GlobalAdministrator     Role = "Global Administrator"
	ComplianceAdministrator Role = "Compliance Administrator"
	ExchangeAdministrator   Role = "Exchange Administrator"
	SharePointAdministrator Role = "SharePoint Administrator"
	GlobalReader            Role = "Global Reader"
	MailboxImportExport     Role = "Mailbox Import Export" // may read and write every container of the tenant
	ServiceOperator         Role = "Service Operator"      // runs the service; reads neither content nor keys

	ItemsReadWriteAll Role = "Items.ReadWrite.All" // app permission: the provider's own programs
)
