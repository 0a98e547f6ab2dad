package semaphore_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/nodestatus/nodestatus/propagate/podstatus/semaphore"
)

// A limit is a positive number under the key that a lock names. Whatever else is there is no limit, and the error says what it is.
func TestLimit(t *testing.T) {
	config := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "limits", Annotations: map[string]string{"a": "b"}},
		Data:       map[string]string{"two": " 2\n", "none": "0", "word": "many", "long": strings.Repeat("9", 100)},
		BinaryData: map[string][]byte{"x": {1}},
	}
	get := func(name types.NamespacedName) (*corev1.ConfigMap, error) {
		switch name {
		case types.NamespacedName{Namespace: "ns", Name: "limits"}:
			return config, nil
		case types.NamespacedName{Namespace: "away", Name: "limits"}:
			return nil, errors.New("the API server is away")
		}
		return nil, apierrors.NewNotFound(corev1.Resource("configmaps"), name.Name)
	}
	for _, tc := range []struct {
		key   string
		limit int
		err   string
	}{
		{"ns/ConfigMap/limits/two", 2, ""},
		{"ns/ConfigMap/limits/none", 0, `want a positive number, found "0"`},
		{"ns/ConfigMap/limits/word", 0, `want a positive number, found "many"`},
		{"ns/ConfigMap/limits/long", 0, "want a positive number"},
		{"ns/ConfigMap/limits/three", 0, "the ConfigMap has no such key"},
		{"ns/ConfigMap/other/two", 0, "there is no such ConfigMap"},
		{"away/ConfigMap/limits/two", 0, "the API server is away"},
		{"ns/Mutex/m", 0, "the key of a semaphore is"},
	} {
		limit, err := semaphore.Limit(tc.key, get)
		require.Equal(t, tc.limit, limit, tc.key)
		if tc.err == "" {
			require.NoError(t, err, tc.key)
		} else {
			require.ErrorContains(t, err, tc.err, tc.key)
		}
	}
	require.ElementsMatch(t, []string{
		"ns/ConfigMap/limits/two", "ns/ConfigMap/limits/none", "ns/ConfigMap/limits/word", "ns/ConfigMap/limits/long",
	}, semaphore.Keys(config))
	slim, err := semaphore.NumbersOnly(config)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"two": " 2\n", "none": "0", "word": "many", "long": "999999999"}, slim.(*corev1.ConfigMap).Data)
	require.Empty(t, config.BinaryData)
	require.Empty(t, config.Annotations)
}
