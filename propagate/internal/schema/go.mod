module github.com/nodestatus/nodestatus/propagate/internal/schema

go 1.25.0

replace github.com/nodestatus/nodestatus => ../../..

require (
	github.com/nodestatus/nodestatus v0.0.0
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/casbin/govaluate v1.10.0 // indirect
	github.com/cockroachdb/datadriven v1.0.3 // indirect
	github.com/expr-lang/expr v1.17.8 // indirect
	github.com/google/go-cmp v0.7.0 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	go.yaml.in/yaml/v2 v2.4.2 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/text v0.23.0 // indirect
	gonum.org/v1/gonum v0.17.0 // indirect
	sigs.k8s.io/yaml v1.6.0 // indirect
)
