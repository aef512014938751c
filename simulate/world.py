"""The event loop: requests, pods and nodes of one environment, from the first second to the last.

What is decided is decided elsewhere: how many pods (`kpa`, `hpa`, `keda`), where they go and who
gives way (`placement`), which nodes come (`nodes`), what a pod answers when (`server`), how long
things take (`times`). Here is what happens after what. The loop is SimPy's; things that are to be
done at a time are callbacks of its timeouts, since a process per request takes three times as long.

The simulation begins an hour before its traffic, so that what there is at rest is there.
"""
