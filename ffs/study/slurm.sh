#!/usr/bin/env bash
# The cells of a study, one a task of an array job, and, as a job without an array, its tables. Written by "ffs study --slurm", which submits it as
#   sbatch --job-name={{.Name}}-cells --array={{.Array}} {{quote .Script}}
#   sbatch --job-name={{.Name}}-tables --dependency=afterany:JOB {{quote .Script}}
#SBATCH --chdir={{line .Work}}
#SBATCH --output={{line .Output}}
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
{{- with .Options}}
#SBATCH {{.}}
{{- end}}
set -u

# Compiled programs and plugins are kept in the first folder; named data sets lie under {{with .Data}}{{quote .}}{{else}}no folder{{end}}. Nodes see both, and the study's folder.
{{- range .Environment}}
export {{.}}
{{- end}}
study=({{range $i, $word := .Command}}{{if $i}} {{end}}{{quote $word}}{{end}})

if [ -z "${SLURM_ARRAY_TASK_ID-}" ]; then
	exec "${study[@]}" {{.TablesFlag}}
fi

# The index claims the cell: Slurm runs each task of an array once at a time.
cells=(
{{- range .Cells}}
	{{quote .}}
{{- end}}
)
cell=${cells[SLURM_ARRAY_TASK_ID]}
"${study[@]}" {{.CellFlag}} "$cell" >>{{quote .Logs}}/"$cell.log" 2>&1 &
worker=$!

# Told to stop, the worker saves a checkpoint. Near the end of its time (USR1) the task goes on in the queue; cancelled (TERM) it does not.
again=
trap 'again=yes; kill -TERM "$worker"' USR1
trap 'kill -TERM "$worker"' TERM
wait "$worker"
status=$?
while kill -0 "$worker" 2>/dev/null; do # a signal has ended the wait
	wait "$worker"
	status=$?
done
if [ -n "$again" ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 100 ]; then
	scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
