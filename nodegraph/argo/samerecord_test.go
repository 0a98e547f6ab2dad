package argo

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/nodestatus/nodestatus/nodegraph"
)

// Records that differ in any field are not the same.
func TestSameRecord(t *testing.T) {
	var none nodegraph.NodeStatus
	assert.True(t, sameRecord(&none, &nodegraph.NodeStatus{Children: []string{}}), "two without anything")
	of := reflect.TypeOf(none)
	for k := range of.NumField() {
		var some nodegraph.NodeStatus
		switch field := reflect.ValueOf(&some).Elem().Field(k); value := field.Addr().Interface().(type) {
		case *string:
			*value = "x"
		case *bool:
			*value = true
		case *int:
			*value = 1
		case *time.Time:
			*value = time.Unix(1, 0)
		case *[]string:
			*value = []string{"x"}
		default:
			field.SetUint(1)
		}
		assert.False(t, sameRecord(&none, &some), "two that differ in %s", of.Field(k).Name)
	}
}
