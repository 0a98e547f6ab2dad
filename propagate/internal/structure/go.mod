module github.com/nodestatus/nodestatus/propagate/internal/structure

go 1.25.0

replace github.com/nodestatus/nodestatus => ../../..

require (
	github.com/nodestatus/nodestatus v0.0.0
	github.com/stretchr/testify v1.12.1
	golang.org/x/tools v0.44.0
	gonum.org/v1/gonum v0.17.0
)

require (
	github.com/casbin/govaluate v1.10.0 // indirect
	github.com/expr-lang/expr v1.17.8 // indirect
	go.yaml.in/yaml/v2 v2.4.2 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/mod v0.35.0 // indirect
	golang.org/x/sync v0.20.0 // indirect
	sigs.k8s.io/yaml v1.6.0 // indirect
)
