package main

const envReplica = "NODESTATUS_REPLICA"

func replica(string) int { return 1 }
