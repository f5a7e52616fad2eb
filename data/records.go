package data

import "ffslab/data/lenient"

// fields reads the records of one kind in a JSON file: for each key, the function that reads its
// value. Other keys are skipped.
type fields[T any] map[string]func(j *lenient.JSON, record *T)

func (f fields[T]) read(j *lenient.JSON) (record T) {
	j.Object(func(key []byte) {
		if read, known := f[string(key)]; known {
			read(j, &record)
		} else {
			j.Skip()
		}
	})
	return record
}

func (f fields[T]) list(j *lenient.JSON) (records []T) {
	j.List(func(int) { records = append(records, f.read(j)) })
	return records
}
