package explore

import (
	"fmt"

	"ffslab/ffs/run"
)

// ScheduleTable lists the schedule of the runs and the speed of their training.
func ScheduleTable(runs []run.Named) (*Table, error) {
	t := newTable("run", "outliers by", "steps done", "of", "images per step", "outliers from step", "seed", "images/s", "waiting for data")
	for _, r := range runs {
		metrics, err := r.ReadMetrics()
		if err != nil {
			return nil, err
		}
		c, done, rate, waited := r.Config, 0, "-", "-"
		if len(metrics) > 1 {
			seconds, wait := 0.0, 0.0
			for _, m := range metrics[1:] { // the first step compiles
				seconds, wait = seconds+m.Seconds, wait+m.DataWait
			}
			done = metrics[len(metrics)-1].Step
			rate = fmt.Sprintf("%.1f", float64(c.Train.ImagesPerStep*(len(metrics)-1))/seconds)
			waited = fmt.Sprintf("%.1f %%", 100*wait/seconds)
		}
		start := "-"
		if c.Model.Outlier.Method != "none" {
			start = fmt.Sprint(c.Model.Outlier.StartIter)
		}
		t.Add(r.Name, c.Model.Outlier.Method, fmt.Sprint(done), fmt.Sprint(c.Train.MaxIter), fmt.Sprint(c.Train.ImagesPerStep),
			start, fmt.Sprint(c.Train.Seed), rate, waited)
	}
	return t, nil
}
