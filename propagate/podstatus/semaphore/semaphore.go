// Package semaphore reads the limits of semaphores, which are in ConfigMaps, as in Argo.
package semaphore

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
)

// Limit returns how many may hold the semaphore that a lock of a workflow names by its key: namespace/ConfigMap/name/key. Get reads a ConfigMap.
// The error says why there is no limit; nobody is to get the semaphore then, and nobody loses it.
func Limit(key string, get func(types.NamespacedName) (*corev1.ConfigMap, error)) (int, error) {
	parts := strings.SplitN(key, "/", 4)
	if len(parts) < 4 {
		return 0, errors.New("the key of a semaphore is namespace/ConfigMap/name/key")
	}
	config, err := get(types.NamespacedName{Namespace: parts[0], Name: parts[2]})
	if apierrors.IsNotFound(err) {
		return 0, errors.New("there is no such ConfigMap")
	}
	if err != nil {
		return 0, err
	}
	text, has := config.Data[parts[3]]
	if !has {
		return 0, errors.New("the ConfigMap has no such key")
	}
	limit, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || limit < 1 {
		return 0, fmt.Errorf("want a positive number, found %q", text)
	}
	return limit, nil
}

// Keys are the keys of the semaphores that a ConfigMap may have the limits of.
func Keys(config *corev1.ConfigMap) (keys []string) {
	for key := range config.Data {
		keys = append(keys, config.Namespace+"/ConfigMap/"+config.Name+"/"+key)
	}
	return keys
}

// NumbersOnly takes out of a ConfigMap what can't be a limit, for a cache that keeps it. It returns what it was given.
func NumbersOnly(object any) (any, error) {
	if config, ok := object.(*corev1.ConfigMap); ok {
		config.ManagedFields, config.BinaryData, config.Annotations = nil, nil, nil
		for key, value := range config.Data {
			config.Data[key] = value[:min(len(value), len("999999999"))]
		}
	}
	return object, nil
}
