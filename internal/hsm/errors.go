//go:build pkcs11

package hsm

import (
	"errors"
	"slices"

	"github.com/miekg/pkcs11"

	"github.com/customerkey/customerkey/internal/fault"
)

// errGone says that the library has to be set up anew before anything else is tried.
var errGone = errors.New("hsm: the token or its sessions went away")

// errNoObject says that an object is not in the token, which was there when it was looked for.
var errNoObject = errors.New("hsm: no such object")

// lost are the answers after which sessions and handles mean nothing any more.
var lost = []pkcs11.Error{
	pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED, pkcs11.CKR_DEVICE_ERROR, pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_SESSION_CLOSED,
	pkcs11.CKR_SESSION_HANDLE_INVALID, pkcs11.CKR_SLOT_ID_INVALID, pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_TOKEN_NOT_RECOGNIZED,
	pkcs11.CKR_USER_NOT_LOGGED_IN,
}

// refused are the answers to an input that is wrong.
var refused = []pkcs11.Error{
	pkcs11.CKR_DATA_INVALID, pkcs11.CKR_DATA_LEN_RANGE, pkcs11.CKR_ENCRYPTED_DATA_INVALID, pkcs11.CKR_ENCRYPTED_DATA_LEN_RANGE,
	pkcs11.CKR_ARGUMENTS_BAD, pkcs11.CKR_MECHANISM_INVALID, pkcs11.CKR_MECHANISM_PARAM_INVALID, pkcs11.CKR_DOMAIN_PARAMS_INVALID,
	pkcs11.CKR_CURVE_NOT_SUPPORTED, pkcs11.CKR_KEY_SIZE_RANGE, pkcs11.CKR_KEY_TYPE_INCONSISTENT, pkcs11.CKR_KEY_FUNCTION_NOT_PERMITTED,
	pkcs11.CKR_KEY_UNEXTRACTABLE, pkcs11.CKR_KEY_NOT_WRAPPABLE, pkcs11.CKR_ATTRIBUTE_VALUE_INVALID, pkcs11.CKR_ATTRIBUTE_TYPE_INVALID,
	pkcs11.CKR_TEMPLATE_INCONSISTENT, pkcs11.CKR_TEMPLATE_INCOMPLETE, pkcs11.CKR_WRAPPED_KEY_INVALID, pkcs11.CKR_WRAPPED_KEY_LEN_RANGE,
}

// vague are the answers that may mean the input, a handle or the token.
var vague = []pkcs11.Error{
	pkcs11.CKR_GENERAL_ERROR, pkcs11.CKR_FUNCTION_FAILED, pkcs11.CKR_OBJECT_HANDLE_INVALID, pkcs11.CKR_KEY_HANDLE_INVALID,
	pkcs11.CKR_UNWRAPPING_KEY_HANDLE_INVALID, pkcs11.CKR_WRAPPING_KEY_HANDLE_INVALID,
}

// stale are the answers for a handle that is none any more.
var stale = []pkcs11.Error{
	pkcs11.CKR_OBJECT_HANDLE_INVALID, pkcs11.CKR_KEY_HANDLE_INVALID, pkcs11.CKR_UNWRAPPING_KEY_HANDLE_INVALID,
	pkcs11.CKR_WRAPPING_KEY_HANDLE_INVALID,
}

// pinRefused are the answers of a log-in that must not be repeated: a few of them lock a token.
var pinRefused = []pkcs11.Error{
	pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_EXPIRED, pkcs11.CKR_PIN_LOCKED, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE,
	pkcs11.CKR_USER_PIN_NOT_INITIALIZED,
}

func is(err error, of []pkcs11.Error) bool {
	e, ok := errors.AsType[pkcs11.Error](err)
	return ok && slices.Contains(of, e)
}

func isGone(err error) bool { return errors.Is(err, errGone) || is(err, lost) }

// A blame says what it means that a token refuses.
type blame struct {
	code    fault.Code
	general bool // whether CKR_GENERAL_ERROR of a token that is well means it too, as in SoftHSM
}

var (
	theRequest    = blame{code: fault.Invalid}
	theCiphertext = blame{code: fault.Invalid, general: true}
	theStored     = blame{code: fault.Corrupt, general: true} // bytes that were wrapped here
	theBackup     = blame{code: fault.Corrupt}                // bytes that were wrapped here, and that the caller has authenticated
)

// classify makes a fault of what a call returned. Faults stay as they are.
func classify(err error, b blame) error {
	if _, ok := errors.AsType[*fault.Error](err); ok || err == nil {
		return err
	}
	switch {
	case isGone(err):
		return errAway(err)
	case errors.Is(err, errNoObject):
		return fault.New(fault.Corrupt, "the key is not in the hardware security module")
	case is(err, refused) || b.general && is(err, vague):
		return fault.Wrap(b.code, err, "The hardware security module refuses this")
	}
	return errAway(err)
}

// errAway is what a caller learns while the token cannot be reached.
func errAway(cause error) error {
	return fault.Wrap(fault.Unavailable, cause, "The hardware security module cannot be reached").
		WithHint("try again; its keys are usable as soon as it is back")
}
