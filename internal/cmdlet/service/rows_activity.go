package service

import (
	"github.com/customerkey/customerkey/internal/activity"
	"github.com/customerkey/customerkey/internal/cmdlet"
)

// activityType is the type name of the record of a command.
const activityType = "CKActivity"

// activityRows show what administrators have done (rows CK-359 to CK-362).
func activityRows() []row {
	return []row{{serve: getActivity, Cmdlet: cmdlet.Cmdlet{
		Name:     "Get-CKActivity",
		Synopsis: "Show which commands were given in the organization, by whom, and what came of them.",
		Description: "One record, in the common audit schema, for each command that changes something and for each that was refused; the newest first. ExternalAccess: an operator of the service gave it. " +
			"A blank ResultStatus: the command is under way, or its server died before it was over. LogIndex is the entry that the record is made of: ck audit shows it, and ck audit verify proves that it is as it was.",
		Examples: []string{
			`Get-CKActivity -StartDate 2027-01-01 -EndDate 2027-02-01`,
			`Get-CKActivity -Operations Set-M365DataAtRestEncryptionPolicy,Set-DataEncryptionPolicy -UserIds bob@contoso.example`,
		},
		Params: []cmdlet.Param{
			{Name: "StartDate", Type: cmdlet.Time, Help: "From this time on, UTC; from the beginning unless given."},
			{Name: "EndDate", Type: cmdlet.Time, Help: "Before this time, UTC; until now unless given."},
			{Name: "Operations", Type: cmdlet.StringList, Help: "These commands only."},
			{Name: "UserIds", Type: cmdlet.StringList, Help: "Given by these only: names or object ids."},
			{Name: "ObjectIds", Type: cmdlet.StringList, Help: "About these only: ids or names."},
		},
		Output: activityType, Side: cmdlet.Service, Roles: rightsOf(activity.Readers...), Check: checkDates,
	}}}
}

// checkDates refuses a time that ends before it begins.
func checkDates(a cmdlet.Args) error {
	if a.Has("StartDate") && a.Has("EndDate") && !a.Time("StartDate").Before(a.Time("EndDate")) {
		return cmdlet.BindError("-EndDate is not after -StartDate")
	}
	return nil
}

func activityViews() []cmdlet.View {
	return []cmdlet.View{{Type: activityType, Summary: true, Table: []cmdlet.Column{
		{Label: "Time", Property: "CreationTime"}, {Label: "User", Property: "UserId"}, {Label: "Operation", Property: "Operation"}, {Label: "Result", Property: "ResultStatus"}, {Label: "Object", Property: "ModifiedObjectResolvedName"}, {Label: "External", Property: "ExternalAccess"},
	}}}
}
