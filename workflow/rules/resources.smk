# What jobs ask for: the limits of the scale (configs/resources/), as Snakemake's resources.
def limits(step):
    """Return minutes and memory of a step's jobs."""
    if EXPERIMENT.resources is None:
        raise WorkflowError(
            f"configs/scale/{EXPERIMENT.scale}.yaml names no limits of its jobs: add "
            "`- /resources: mini` to its defaults (configs/resources/ has others)"
        )
    return getattr(EXPERIMENT.resources, step)


def runtime(step):
    """Return the minutes that a job of a step may take."""
    return limits(step).minutes


def memory(step):
    """Return a function for `mem_mb`: each attempt after a failure asks for more."""
    megabytes = int(1000 * limits(step).memory_gb)

    def of_attempt(wildcards, attempt):
        return attempt * megabytes

    return of_attempt


def gpu(step):
    """Return the number of GPUs that a job of a step computes on.

    Several GPUs are still one task: nothing here sets `tasks`, which the Slurm executor would take
    for tasks a GPU, and start the job once for each.
    """
    return gpus(EXPERIMENT, step)


def threads(step):
    """Return the CPU cores of a job: the experiment's, for each of its GPUs."""
    return EXPERIMENT.threads * max(1, gpu(step))
