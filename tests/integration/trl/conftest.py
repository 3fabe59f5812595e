"""TRL on the CPU, or a skip that says how to get it."""

import os

from needs import skip_without

os.environ.update(HF_HUB_OFFLINE="1", TRL_EXPERIMENTAL_SILENCE="1")

pytest_pycollect_makemodule = skip_without("trl", "make test-trl")
