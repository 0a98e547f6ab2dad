package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	rbac "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// rights are the rules that deploy/controller.yaml gives the controller.
func rights(t testing.TB) []rbac.PolicyRule {
	t.Helper()
	data, err := os.ReadFile("deploy/controller.yaml")
	require.NoError(t, err)
	var rules []rbac.PolicyRule
	for d := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096); ; {
		var role rbac.Role // a ClusterRole has the same rules
		err := d.Decode(&role)
		if errors.Is(err, io.EOF) {
			return rules
		}
		require.NoError(t, err)
		rules = append(rules, role.Rules...)
	}
}

// tenant is a user who may do in the namespace what the rules say, and nothing elsewhere.
func (c *cluster) tenant(rules []rbac.PolicyRule) *rest.Config {
	c.Helper()
	user, err := control.env.AddUser(envtest.User{Name: c.namespace}, nil)
	require.NoError(c, err)
	require.NoError(c, rbac.AddToScheme(c.client.Scheme()))
	name := metav1.ObjectMeta{Namespace: c.namespace, Name: "controller"}
	require.NoError(c, c.client.Create(c.Context(), &rbac.Role{ObjectMeta: name, Rules: rules}))
	require.NoError(c, c.client.Create(c.Context(), &rbac.RoleBinding{
		ObjectMeta: name, RoleRef: rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "Role", Name: "controller"},
		Subjects: []rbac.Subject{{APIGroup: rbac.GroupName, Kind: rbac.UserKind, Name: c.namespace}},
	}))
	return user.Config()
}

// A Role in its namespace is all that the controller needs, and it touches nothing of another.
func TestOneNamespaceWithARole(t *testing.T) {
	for _, shards := range []int{1, 2} {
		other := newCluster(t)
		other.submit("victim", `spec: {entrypoint: nothing, templates: []}`) // whoever reads it ends it
		c := newCluster(t)
		c.startKubelet(1, false)
		c.limits("two", "2")
		c.startAs(c.tenant(rights(t)), shards, nil)
		c.submit("mine", limited)
		c.submit("daemon", `
spec:
  entrypoint: main
  templates:
    - name: main
      steps: [[{name: server, template: server}], [{name: client, template: client}]]
    - {name: server, daemon: true, container: {image: hold}}
    - {name: client, container: {image: busybox}}`)
		c.submit("brief", strings.Replace(innocent, "entrypoint", "ttlStrategy: {secondsAfterCompletion: 0}, podGC: {strategy: OnPodCompletion}, entrypoint", 1))
		c.await("what has no time left is deleted", func() bool {
			return apierrors.IsNotFound(c.client.Get(t.Context(), client.ObjectKey{Namespace: c.namespace, Name: "brief"}, newWorkflow()))
		})
		c.awaitPhase("mine", nodegraph.PhaseSucceeded)
		c.awaitPhase("daemon", nodegraph.PhaseSucceeded) // for which a pod is deleted
		c.awaitEvent("mine", "")
		require.Empty(t, other.stored("victim", "phase"))
	}
}

// Where the admission of owner references is on, a controller without the right to workflows/finalizers creates no pod, and says
// so. It goes on as soon as it has the right.
func TestOwnerReferences(t *testing.T) {
	c := newCluster(t)
	c.startKubelet(1, false)
	var rules []rbac.PolicyRule
	for _, rule := range rights(t) {
		if rule.Resources[0] != "workflows/finalizers" {
			rules = append(rules, rule)
		}
	}
	c.startAs(c.tenant(rules), 1, nil)
	c.submit("owner", innocent)
	c.awaitMessage("owner", "cannot set blockOwnerDeletion")
	role := &rbac.Role{}
	require.NoError(t, c.client.Get(t.Context(), client.ObjectKey{Namespace: c.namespace, Name: "controller"}, role))
	role.Rules = rights(t)
	require.NoError(t, c.client.Update(t.Context(), role))
	c.awaitPhase("owner", nodegraph.PhaseSucceeded)
}
