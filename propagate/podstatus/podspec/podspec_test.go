package podspec_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/nodestatus/nodestatus/nodegraph/argo"
	"github.com/nodestatus/nodestatus/propagate"
	"github.com/nodestatus/nodestatus/propagate/podstatus"
	"github.com/nodestatus/nodestatus/propagate/podstatus/podspec"
)

// A field that is not carried out is named, wherever it stands, and all of them are.
func TestFieldsThatAreRefused(t *testing.T) {
	for field, spec := range map[string]string{
		"spec.podGC.x":                                     `{podGC: {x: 1}}`,
		"spec.volumeClaimTemplates":                        `{volumeClaimTemplates: []}`,
		"spec.workflowTemplateRef":                         `{workflowTemplateRef: {name: a}}`,
		"spec.templateDefaults":                            `{templateDefaults: {}}`,
		"spec.arguments.artifacts":                         `{arguments: {artifacts: []}}`,
		"spec.arguments.parameters[0].valueFrom":           `{arguments: {parameters: [{name: a, valueFrom: {configMapKeyRef: {name: a, key: b}}}]}}`,
		"spec.templates[0].podSpecPatch":                   `{templates: [{name: a, podSpecPatch: x}]}`,
		"spec.templates[0].outputs.parameters":             `{templates: [{name: a, outputs: {parameters: []}}]}`,
		"spec.templates[0].inputs.artifacts":               `{templates: [{name: a, inputs: {artifacts: []}}]}`,
		"spec.templates[0].memoize":                        `{templates: [{name: a, memoize: {key: x}}]}`,
		"spec.templates[0].retryStrategy.affinity":         `{templates: [{name: a, retryStrategy: {affinity: {}}}]}`,
		"spec.templates[0].containerSet.retryStrategy":     `{templates: [{name: a, containerSet: {retryStrategy: {}}}]}`,
		"spec.templates[0].sidecars[0].mirrorVolumeMounts": `{templates: [{name: a, sidecars: [{name: b, mirrorVolumeMounts: true}]}]}`,
		"spec.templates[0].container.imag":                 `{templates: [{name: a, container: {imag: x}}]}`,
		"spec.templates[0].steps[0][0].templateRef":        `{templates: [{name: a, steps: [[{name: b, templateRef: {name: c}}]]}]}`,
		"spec.templates[0].dag.tasks[0].inline":            `{templates: [{name: a, dag: {tasks: [{name: b, inline: {}}]}}]}`,
		"spec.hooks.exit.templateRef, spec.podSpecPatch":   `{hooks: {exit: {templateRef: {}}}, podSpecPatch: x}`,
	} {
		data, err := yaml.YAMLToJSON([]byte("spec: " + spec))
		require.NoError(t, err)
		_, err = podspec.Read(data)
		require.EqualError(t, err, "not carried out: "+field)
	}
}

