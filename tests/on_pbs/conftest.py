"""Tests on a real PBS, which nothing here starts: they are run by hand, where there is one.

``SCIFLOW_PBS=1 pytest tests/on_pbs``, as somebody who may submit, with PBS's commands on PATH, where the default queue
has one node with 4 cores, 4 GB and 2 GPUs, and refuses what asks for more. Of an OpenPBS that is nobody else's, `qmgr`
makes that so::

    create resource ngpus type=long, flag=nh              (and `ngpus` in `resources:` of the scheduler's sched_config)
    set node NODE resources_available.ncpus = 4
    set node NODE resources_available.mem = 4gb
    set node NODE resources_available.ngpus = 2
    set queue workq resources_max.mem = 4gb
    set queue workq resources_max.ngpus = 2
    set server scheduler_iteration = 1

Run them with ``job_history_enable`` true and false. The last time was on OpenPBS 23.06.06.
"""

import os

collect_ignore_glob = [] if os.environ.get("SCIFLOW_PBS") == "1" else ["test_*.py"]
