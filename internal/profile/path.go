package profile

import (
	"os"
	"path/filepath"
	"regexp"

	"github.com/customerkey/customerkey/internal/fault"
)

// PathVariable names the environment variable that overrides where the profile is.
const PathVariable = "CK_PROFILE"

var profileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Path returns the file of the profile called name. Without a name it is the file that
// CK_PROFILE names, else profile.json; all others lie in the folder customerkey of the
// user's configuration.
func Path(name string) (string, error) {
	if name == "" {
		if path := os.Getenv(PathVariable); path != "" {
			return filepath.Abs(path)
		}
		name = "profile"
	}
	if !profileName.MatchString(name) {
		return "", fault.New(fault.Invalid, "%q cannot be the name of a profile", name).
			WithHint("use letters, digits, dots, dashes and underscores")
	}
	folder, err := os.UserConfigDir()
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "there is no folder for the profile").
			WithHint("set HOME, or name a file in " + PathVariable)
	}
	return filepath.Join(folder, "customerkey", name+".json"), nil
}
