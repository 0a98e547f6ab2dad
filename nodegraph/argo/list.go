package argo

import "fmt"

// onlyItem returns the item of a list that has one.
func onlyItem(list string) (string, error) {
	items, err := itemsOf(list)
	if err == nil && len(items) != 1 {
		err = fmt.Errorf("want one workflow, found %d", len(items))
	}
	if err != nil {
		return "", inField("items", err)
	}
	if items[0][0] != '{' {
		return "", &ReadError{Field: "items[0]", Err: &typeError{want: "an object", found: describeValue(items[0][0])}}
	}
	return items[0], nil
}

// itemsOf takes an array apart.
func itemsOf(list string) ([]string, error) {
	var items []string
	s := &scanner{text: list}
	err := s.array(func(int) error {
		item, err := s.raw()
		items = append(items, item)
		return err
	})
	return items, err
}
