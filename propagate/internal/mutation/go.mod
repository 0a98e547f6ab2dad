module github.com/nodestatus/nodestatus/propagate/internal/mutation

go 1.25.0

replace github.com/nodestatus/nodestatus => ../../..

require (
	github.com/stretchr/testify v1.12.1
	golang.org/x/tools v0.44.0
)

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/mod v0.35.0 // indirect
	golang.org/x/sync v0.20.0 // indirect
)
