package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	auth "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/nodestatus/nodestatus/nodegraph"
	"github.com/nodestatus/nodestatus/propagate/podstatus/kube/shards"
)

// The API server takes every object of deploy/controller.yaml and knows all its fields, and its Deployment makes pods that the
// strictest security standard takes.
func TestManifest(t *testing.T) {
	c := newCluster(t)
	file, err := os.Open("deploy/controller.yaml")
	require.NoError(t, err)
	defer file.Close()
	c.enforce("restricted")
	kinds := map[string]int{}
	for d := utilyaml.NewYAMLOrJSONDecoder(file, 4096); ; {
		object := &unstructured.Unstructured{}
		if err := d.Decode(object); err != nil {
			break
		}
		kinds[object.GetKind()]++
		if object.GetNamespace() != "" {
			object.SetNamespace(c.namespace)
		}
		require.NoError(t, client.WithFieldValidation(c.client, metav1.FieldValidationStrict).Create(t.Context(), object, client.DryRunAll), object.GetKind())
		if object.GetKind() == "Deployment" {
			template, _, err := unstructured.NestedMap(object.Object, "spec", "template")
			require.NoError(t, err)
			pod := &unstructured.Unstructured{Object: template}
			pod.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Pod"))
			pod.SetNamespace(c.namespace)
			pod.SetName("controller")
			require.NoError(t, c.client.Create(t.Context(), pod, client.DryRunAll))
			replicas, _, err := unstructured.NestedInt64(object.Object, "spec", "replicas")
			require.NoError(t, err)
			containers, _, err := unstructured.NestedSlice(template, "spec", "containers")
			require.NoError(t, err)
			require.Contains(t, containers[0].(map[string]any)["args"], fmt.Sprintf("-replicas=%d", replicas))
		}
	}
	require.Equal(t, map[string]int{
		"Namespace": 1, "ServiceAccount": 1, "ClusterRole": 1, "ClusterRoleBinding": 2, "Role": 1, "RoleBinding": 1,
		"PodDisruptionBudget": 1, "Deployment": 1,
	}, kinds)
}

// Metrics are shown to those who may see them, and the probes say when the caches are filled.
func TestSecuredMetricsAndProbes(t *testing.T) {
	c := newCluster(t)
	metrics, probes, profiles := freeAddress(t), freeAddress(t), freeAddress(t)
	c.startAs(control.config, 2, nil, func(o *options) {
		o.metricsAddress, o.metricsSecure = metrics, true
		o.manager.HealthProbeBindAddress, o.manager.PprofBindAddress = probes, profiles
	})
	c.await("it is ready", func() bool { return status("http://"+probes+"/readyz", "") == http.StatusOK })
	require.Equal(t, http.StatusOK, status("http://"+probes+"/healthz", ""))
	require.Equal(t, http.StatusOK, status("http://"+profiles+"/debug/pprof/cmdline", ""))

	stranger, prometheus := c.token("stranger"), c.token("prometheus")
	require.NoError(t, rbac.AddToScheme(c.client.Scheme()))
	role := &rbac.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: c.namespace},
		Rules:      []rbac.PolicyRule{{NonResourceURLs: []string{"/metrics"}, Verbs: []string{"get"}}},
	}
	require.NoError(t, c.client.Create(t.Context(), role))
	require.NoError(t, c.client.Create(t.Context(), &rbac.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: c.namespace}, RoleRef: rbac.RoleRef{APIGroup: rbac.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects: []rbac.Subject{{Kind: rbac.ServiceAccountKind, Namespace: c.namespace, Name: "prometheus"}},
	}))
	for token, want := range map[string]int{"": http.StatusUnauthorized, stranger: http.StatusForbidden, prometheus: http.StatusOK} {
		c.await(fmt.Sprintf("metrics answer %d", want), func() bool { return status("https://"+metrics+"/metrics", token) == want })
	}
}

// token makes a service account and a token of it.
func (c *cluster) token(name string) string {
	c.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: name}}
	require.NoError(c, c.client.Create(c.Context(), account))
	token := &auth.TokenRequest{}
	require.NoError(c, c.client.SubResource("token").Create(c.Context(), account, token))
	return token.Status.Token
}

// freeAddress is an address at which nobody listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// status is the status of the answer to a GET, 0 if there is none.
func status(url, token string) int {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // its certificate is its own
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// Two controllers share a namespace. Each runs the workflows that name it.
func TestInstances(t *testing.T) {
	c := newCluster(t)
	c.startKubelet(1, false)
	c.submit("plain", innocent)
	c.submit("of-a", innocent)
	c.patch("of-a", `{"metadata": {"labels": {"`+shards.LabelInstance+`": "a"}}}`)
	c.startAs(control.config, 2, nil, func(o *options) { o.Instance = "a" })
	c.awaitPhase("of-a", nodegraph.PhaseSucceeded)
	require.Empty(t, c.stored("plain", "phase"))
	c.start(1, nil)
	c.awaitPhase("plain", nodegraph.PhaseSucceeded)
	for lease := range c.leaders() {
		require.True(t, strings.HasPrefix(lease, "a-nodestatus-") || lease == "nodestatus-shard-0-of-1", lease)
	}
}

// What the Dockerfile says agrees with the module: the version of Go, the paths that are copied and built, and the user, whom the
// Deployment takes only by number. The program needs no library, for the image has none.
func TestDockerfile(t *testing.T) {
	data, err := os.ReadFile("Dockerfile")
	require.NoError(t, err)
	module, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	lines := make(map[string][]string) // by instruction
	for _, line := range strings.Split(string(data), "\n") {
		if instruction, rest, ok := strings.Cut(line, " "); ok && instruction != "#" {
			lines[instruction] = append(lines[instruction], rest)
		}
	}
	require.Len(t, lines["FROM"], 2)
	version := regexp.MustCompile(`^golang:([0-9.]+) AS build$`).FindStringSubmatch(lines["FROM"][0])
	require.NotNil(t, version, lines["FROM"][0])
	require.Contains(t, string(module), "\ngo "+version[1]+".")
	require.Equal(t, "gcr.io/distroless/static:nonroot", lines["FROM"][1])
	require.Equal(t, []string{". .", "--from=build /controller /controller"}, lines["COPY"])
	require.Equal(t, []string{"65532:65532"}, lines["USER"])
	require.Equal(t, []string{`["/controller"]`}, lines["ENTRYPOINT"])

	require.Len(t, lines["RUN"], 1)
	build := regexp.MustCompile(`^cd (\S+) && CGO_ENABLED=0 go build .* -o /controller \.$`).FindStringSubmatch(lines["RUN"][0])
	require.NotNil(t, build, lines["RUN"][0])
	list := exec.Command("go", "list", "-f", "{{.Name}} {{.Module.Path}}", ".")
	list.Dir = filepath.Join("../..", build[1]) // below what COPY takes
	out, err := list.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "main github.com/nodestatus/nodestatus/examples/controller\n", string(out))
}
