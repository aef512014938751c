"""What became of a stack: each model's way through the live cluster, and what breaks it.

    cluster.py    reads a cluster with `list` alone, a request per kind
    rooms.py      why no node has room for a pod
    pods.py       why a pod does not run
    trail.py      a model as it is planned, and the cluster that it should be in
    links.py      what a model needs, one function per link of its way; those to its files, its
                  autoscaler and its clients in files.py, scalers.py and doors.py
    refusals.py   why an object is not taken, in the words of who refuses it
    ways.py       joins them, model by model
    words.py      shows them on a terminal, and as JSON
    doctor.py     what an `up` and this room need of a machine, an account and a cluster
    upgrade.py    in which order Kubernetes is upgraded under a stack

What there should be comes from the plan (`plan.graph`), what there is from the cluster.
"""
