package store

//go:generate sh -c "for f in sql/*/sqlc.yaml; do sqlc generate -f $DOLLAR{f} || exit 1; done"
