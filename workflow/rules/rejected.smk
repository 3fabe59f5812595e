# What to change when Slurm refuses a job: said at the end of a run, below the executor's messages.
ADVICE = {
    "invalid partition": "there is no such partition: `sinfo -s` lists them; set slurm_partition",
    "invalid account": "no such account, or not for this partition: `sacctmgr show associations "
    "user=$USER` lists yours; set slurm_account",
    "appears to be invalid": "no such account: `sacctmgr show associations user=$USER` lists "
    "yours; set slurm_account",
    "memory specification can not be satisfied": "no node of the partition has the memory that "
    "was asked for: set another slurm_partition, or a smaller mem_mb in set-resources",
    "requested node configuration is not available": "no node of the partition has the cores, "
    "memory or GPUs that were asked for: `sinfo -N -o '%N %P %c %m %G'` shows them; set another "
    "slurm_partition, or less in set-resources",
    "invalid generic resource": "the cluster has no GPUs by that name: set `gpu_model` or another "
    "slurm_partition",
    "time limit": "the partition ends jobs earlier: lower runtime in set-resources; training goes "
    "on from its checkpoint when it is run again",
    "unable to contact slurm controller": "slurmctld does not answer: try `sinfo`",
    "sbatch: command not found": "this machine has no Slurm: log in to the cluster",
}


def explain_rejection(logs):
    """Print what to change for each kind of refusal that the logs of Snakemake tell of."""
    texts = [Path(log).read_text(encoding="utf-8", errors="replace") for log in logs]
    told = "\n".join(texts).lower()
    found = [
        advice for sign, advice in ADVICE.items() if sign in told and "sbatch" in told
    ]
    for advice in dict.fromkeys(found):
        print(f"Slurm refused a job: {advice}", file=sys.stderr)
    if found:
        print(
            "in profiles/slurm/config.yaml (docs/cluster.md), then give the command "
            "again: what is done stays done",
            file=sys.stderr,
        )
