#!/usr/bin/env bash
# Everything that is to be measured on a GPU, without network, in six minutes at most: what does not fit is left out and said so.
#
#   go build -o ffs.bin ./ffs
#   for p in flow backbone rpn roi detector; do go test -c -o tests/$p.test ./ffs/$p; done
#   ffs/bench/gpu.sh --ffs ./ffs.bin --tests tests --python venv/bin/python > figures.jsonl
#
# Every figure is one line of JSON on standard output, {"figure": NAME, "by": "ffs" or "torch", ...}, with the report of its program, or an "error" or "skipped" in its place; progress goes
# to standard error. The exit status is 1 if a figure has an error. --only PATTERN takes the figures whose name matches (a shell pattern: --only 'step*'), for a second call.
# Without --tests the golden tests are left out, without --python all of PyTorch's figures (torch_step.py). --tiny runs all of it with the smallest sizes, on the CPU unless --backend says
# otherwise: the test that this script works.
# shellcheck disable=SC2317 # functions are called through figure
set -uo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

ffs='' tests='' python='' backend='' only='*' tiny='' seconds=350
while [ $# -gt 0 ]; do
	case $1 in
	--tiny) tiny=1 && shift && continue ;;
	--ffs | --tests | --python | --backend | --only | --seconds)
		[ $# -gt 1 ] || { echo "gpu.sh: $1: give a value" >&2 && exit 2; }
		printf -v "${1#--}" %s "$2"
		shift 2
		;;
	*) echo "gpu.sh: unknown argument $1: see the head of the script" >&2 && exit 2 ;;
	esac
done
[ -x "$ffs" ] || { echo "gpu.sh: --ffs '$ffs' is no program: build it with go build -o ffs.bin ./ffs" >&2 && exit 2; }
ffs=$(realpath -- "$ffs")
[ -z "$tests" ] || tests=$(realpath -- "$tests")
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
status=0

config=(--config voc --height 800 --width 1216)
digits=(--config digits --set train.max_iter=1500 --set model.outlier.start_iter=750)
batches=(1 4 16) calls=(--steps 20 --warmup 5) side=8192 short=50
if [ -n "$tiny" ]; then
	backend=${backend:-xla:cpu}
	small=(
		--set model.backbone.stem_width=8 --set model.backbone.depth=4 --set model.backbone.w_0=8 --set model.backbone.w_a=12.5 --set model.fpn_channels=16
		--set model.rpn.batch_per_image=32 --set model.rpn.pre_nms_train=40 --set model.rpn.post_nms_train=40 --set model.rpn.pre_nms_test=40 --set model.rpn.post_nms_test=40
		--set model.roi.batch_per_image=16 --set model.roi.fc_dim=16 --set model.flow.hidden=16 --set model.outlier.sample_from=20
		--set 'input.canvases=[[64, 64]]' --set 'input.min_size_train=[64]' --set input.max_size_train=64 --set input.min_size_test=64 --set input.max_size_test=64
	)
	config=(--config digits --height 64 --width 64 "${small[@]}")
	digits=(--config digits "${small[@]}" --set model.outlier.start_iter=1 --set train.max_iter=3 --set train.warmup_iters=1 --set train.images_per_step=2)
	batches=(2) calls=(--steps 1 --warmup 0) side=64 short=2
fi
backend=${backend:-xla:cuda}
kinds=(fp32 bf16)
case $backend in *cuda*) kinds=(fp32 tf32 bf16) ;; esac

# bounded COMMAND...: the command, ended when the time is up.
bounded() { timeout $((seconds - SECONDS > 5 ? seconds - SECONDS : 5)) "$@"; }

# figure NAME BY FUNCTION...: calls the function and prints its last line, which is JSON, as the figure's report.
figure() {
	local name=$1 by=$2 line rc
	shift 2
	# shellcheck disable=SC2254 # --only is a pattern
	case $name in $only) ;; *) return ;; esac
	local left=$((seconds - SECONDS))
	if [ $left -lt 5 ]; then
		printf '{"figure": "%s", "by": "%s", "skipped": "after %d s: run --only"}\n' "$name" "$by" "$SECONDS"
		return
	fi
	printf '=== %3ds %s: %s\n' "$SECONDS" "$name" "$by" >&2
	line=$("$@" 2>"$work/stderr" | tail -n 1)
	rc=$?
	if [ $rc -eq 0 ] && [[ $line == "{"* || $line == "["* ]]; then
		printf '{"figure": "%s", "by": "%s", "report": %s}\n' "$name" "$by" "$line"
		return
	fi
	cat "$work/stderr" >&2
	line=$(tail -n 1 "$work/stderr" | tr -cd '[:alnum:] .,:;()/_+=-' | cut -c 1-300)
	printf '{"figure": "%s", "by": "%s", "error": "exit status %d: %s"}\n' "$name" "$by" $rc "$line"
	[ $rc -eq 124 ] || status=1
}

# ours KIND COMMAND...: a command of ffs bench with that kind of products.
ours() {
	local kind=$1 where=$backend set=()
	shift
	case $kind in
	tf32) where+=,tf32=true && export NVIDIA_TF32_OVERRIDE=1 ;;
	bf16) set=(--set train.precision=bf16) ;;
	esac
	bounded "$ffs" bench "$@" "${set[@]}" --backend "$where"
	local rc=$?
	unset NVIDIA_TF32_OVERRIDE
	return "$rc"
}

# theirs KIND ARGUMENT...: torch_step.py with that kind of products.
theirs() {
	local kind=$1 device=cuda products=()
	shift
	case $backend in *cpu*) device=cpu ;; esac
	case $kind in
	tf32) products=(--tf32) ;;
	bf16) products=(--tf32 --autocast) ;;
	esac
	bounded "$python" "$here/torch_step.py" --device "$device" "${products[@]}" "$@"
}

# golden TEST: a package's reference tests, which read files beside the package.
golden() {
	cd -- "$here/../$(basename -- "$1" .test)" || return
	GOMLX_BACKEND=$backend bounded "$1" -test.run 'Golden|Reference' -test.v >"$work/golden" 2>&1
	local rc=$?
	[ "$rc" -eq 0 ] || grep -E -- '--- FAIL|panic' "$work/golden" >&2
	printf '{"passed": %d, "failed": %d, "skipped": %d}\n' "$(grep -c '^--- PASS' "$work/golden")" "$(grep -c '^--- FAIL' "$work/golden")" "$(grep -c '^--- SKIP' "$work/golden")"
	return "$rc"
}

# trained NAME ARGUMENT...: a training, its seconds, and the digest of its last weights.
trained() {
	local dir=$work/$1 begin=$SECONDS
	shift
	bounded "$ffs" train "${digits[@]}" --backend "$backend" --run "$dir" --seed 0 "$@" >&2 || return
	local last
	last=$(find "$dir/checkpoints" -name '*.safetensors' | sort | tail -n 1)
	printf '{"seconds": %d, "sha256": "%s"}\n' $((SECONDS - begin)) "$(sha256sum <"$last" | cut -d ' ' -f 1)"
}

# accuracy: AP50 of the training, on the inlier set alone.
accuracy() {
	bounded "$ffs" eval --run "$work/digits" --backend "$backend" --bootstrap 0 --json >"$work/eval.json" || return
	printf '{"AP50": %s}\n' "$(grep -o '"AP50": *[0-9.e+-]*' "$work/eval.json" | head -n 1 | grep -o '[0-9.e+-]*$')"
}

# deterministic: two trainings with flags that fix the order of sums, equal to the byte or not.
deterministic() {
	local flags='' one two
	case $backend in *cuda*) flags=--xla_gpu_deterministic_ops=true ;; esac
	one=$(XLA_FLAGS="${XLA_FLAGS:-} $flags" trained "one$short" --set "train.max_iter=$short" --set model.outlier.start_iter=1 --set train.warmup_iters=1) || return
	two=$(XLA_FLAGS="${XLA_FLAGS:-} $flags" trained "two$short" --set "train.max_iter=$short" --set model.outlier.start_iter=1 --set train.warmup_iters=1) || return
	[ "${one##*sha256}" = "${two##*sha256}" ] && printf '{"equal": true, "steps": %d}\n' "$short" && return
	echo "weights differ: $one, $two" >&2
	return 1
}

# doctor: the backend's checks, on one line.
doctor() { GOMLX_BACKEND=$backend bounded "$ffs" doctor --json 2>"$work/doctor" | tr -d '\n' || { cat "$work/doctor" >&2 && return 1; }; }

# machine: what the driver says of the first GPU.
machine() { nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader,nounits | head -n 1 | sed 's/\(.*\), \(.*\), \(.*\)/{"gpu": "\1", "driver": "\2", "memory_mib": \3}/'; }

torch() { [ -z "$python" ] || figure "$1" torch theirs "${@:2}"; }
size=(--height 800 --width 1216 --channels-last --steps 20)
[ -z "$tiny" ] || size=(--height 64 --width 64 --steps 1)

# The most wanted come first, for a machine that is taken away.
case $backend in *cuda*) figure machine ffs machine ;; esac
figure doctor ffs doctor
for t in "$tests"/*.test; do
	[ ! -x "$t" ] || figure "golden $(basename -- "$t" .test)" ffs golden "$t"
done
for kind in "${kinds[@]}"; do
	figure "infer $kind" ffs ours "$kind" infer "${config[@]}" "${calls[@]}"
	torch "infer $kind" "$kind" --part infer "${size[@]}"
done
for batch in "${batches[@]}"; do
	for kind in "${kinds[@]}"; do
		figure "step $batch $kind" ffs ours "$kind" step "${config[@]}" --batch "$batch" "${calls[@]}"
		torch "step $batch $kind" "$kind" --part step --batch "$batch" "${size[@]}"
	done
done
figure "kept first" ffs ours fp32 infer "${config[@]}" --steps 1 --warmup 0 --kept
figure "kept second" ffs ours fp32 infer "${config[@]}" --steps 1 --warmup 0 --kept
figure training ffs trained digits
figure AP50 ffs accuracy
figure deterministic ffs deterministic
flow=("${config[@]:0:2}")
[ -z "$tiny" ] || flow+=("${small[@]}")
for kind in "${kinds[@]}"; do
	figure "flow $kind" ffs ours "$kind" flow "${flow[@]}" "${calls[@]}"
	torch "flow $kind" "$kind" --part flow --steps "${size[-1]}"
done
last=${kinds[-1]}
figure "roofline $last" ffs ours "$last" roofline "${config[@]}" "${calls[@]}" --side "$side"
exit $status
