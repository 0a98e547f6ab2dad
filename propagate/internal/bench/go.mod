module github.com/nodestatus/nodestatus/propagate/internal/bench

go 1.25.0

replace github.com/nodestatus/nodestatus => ../../..

require (
	github.com/casbin/govaluate v1.10.0
	github.com/dominikbraun/graph v0.23.0
	github.com/expr-lang/expr v1.17.8
	github.com/go-json-experiment/json v0.0.0-20250910080747-cc2cfa0554c3
	github.com/google/go-cmp v0.7.0
	github.com/heimdalr/dag v1.5.0
	github.com/nodestatus/nodestatus v0.0.0
	github.com/stretchr/testify v1.12.1
	gonum.org/v1/gonum v0.17.0
)

require (
	github.com/emirpasic/gods v1.18.1 // indirect
	github.com/google/uuid v1.3.0 // indirect
	go.yaml.in/yaml/v2 v2.4.2 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	sigs.k8s.io/yaml v1.6.0 // indirect
)
