#!/usr/bin/env bash
# {{ title }},
# in {{ shards }} shards: a job array of Slurm, and the job that merges them.
# Written by nnqft-gpu {{ version }}. Submit with: bash {{ name }}
# All files go to the folder of this script. Submitted again, it goes on where it stopped.
#SBATCH --job-name=nnqft-gpu
{% for line in sbatch -%}
#SBATCH {{ line }}
{% endfor -%}
set -euo pipefail

shards={{ shards }}
array=0-{{ shards - 1 }} # append %4 to run at most four at a time
retries={{ retries }} # of a shard that failed; its state is kept
options=(
{% for option in options %}    {{ option }}
{% endfor %})

# Two jobs. `merge` waits for every shard to succeed; if one cannot, Slurm drops it rather than
# keep it queued for ever, and rather than merge what an earlier run may have left here.
submit() {
    command -v nnqft-gpu >/dev/null || { echo "nnqft-gpu is not on the PATH" >&2; exit 1; }
    local dir script job merge
    dir=$(cd "$(dirname "$0")" && pwd)
    script=$dir/$(basename "$0")
    mkdir -p "$dir/shards" "$dir/logs"
    job=$(sbatch --parsable --chdir="$dir" --output=logs/shard-%a.log --open-mode=append \
        --array="$array" --requeue --signal=B:USR1@120 "$script" shard)
    job=${job%%;*} # without the cluster's name
    merge=$(sbatch --parsable --chdir="$dir" --output=logs/merge.log \
        --dependency="afterok:$job" --kill-on-invalid-dep=yes "$script" merge) ||
        { scancel "$job"; exit 1; }
    echo "shards: job $job; merge: job ${merge%%;*}; result: $dir/merged"
}

# One task of the array: goes on with its state, if there is one.
shard() {
    local i=$SLURM_ARRAY_TASK_ID code signalled=yes time_is_up='' program
    local state=shards/$i.state failures=shards/$i.failures

    nnqft-gpu {{ command }} "${options[@]}" --shard "$i/$shards" \
        --checkpoint "$state" --resume "$state" &
    program=$!
    # USR1 comes two minutes before the time limit, TERM from scancel and preemption. Of a TERM
    # the program saves its state and ends.
    trap 'signalled=yes time_is_up=yes; kill -TERM "$program" || true' USR1
    trap 'signalled=yes; kill -TERM "$program" || true' TERM
    while [ "$signalled" ]; do # a signal ends `wait`, not the program
        signalled='' code=0
        wait "$program" || code=$?
    done

    if [ "$code" = 0 ]; then
        return
    elif [ "$time_is_up" ]; then
        echo "shard $i: time is up, state saved, back to the queue"
        requeue
    elif [ "$code" != 2 ] && [ "$code" != 130 ]; then # not an option's mistake, not scancel
        echo "job $SLURM_ARRAY_JOB_ID: exit code $code on $(hostname), $(date)" >>"$failures"
        if [ "$(grep -c "^job $SLURM_ARRAY_JOB_ID:" "$failures")" -le "$retries" ]; then
            echo "shard $i: failed with exit code $code, back to the queue"
            requeue
        fi
    fi
    echo "shard $i: ended with exit code $code"
    exit "$code"
}

# On a node that Slurm chooses; ends this script.
requeue() {
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" && exit
}

merge() {
    local i files=()
    for ((i = 0; i < shards; i++)); do
        files+=("shards/$i.state")
    done
    nnqft-gpu merge "${files[@]}"{{ merging }} --out merged --force # over that of fewer shards
}

"${1:-submit}"
