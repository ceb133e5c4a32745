"""The terminal door's rooms: one module a group of verbs, each verb a thin call; how results and messages are written."""
