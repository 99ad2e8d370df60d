package hierarchy

import "context"

type requestKey struct{}

// withRequest notes in ctx which request causes a call to a root.
func withRequest(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestID returns the id of the request that caused a call to a [Root], "" if there is
// none. A root hands it to its vault, so that the logs of both sides can be joined (CK-377).
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}
