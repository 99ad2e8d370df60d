package store

//go:generate sh -c "for area in sql/*/sqlc.yaml; do sqlc generate -f $DOLLAR{area} || exit 1; done"
